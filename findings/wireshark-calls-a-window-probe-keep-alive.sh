#!/bin/bash
# A receiver does not read, its window is 0, and the sender's kernel asks from time to time whether there is room. Wireshark
# labels these window probes "TCP Keep-Alive", although SO_KEEPALIVE is off, and its filter tcp.analysis.zero_window_probe finds
# none of them. Linux probes with an acknowledged sequence number and without data, as a keepalive probe does; Wireshark takes
# only a segment with one byte of new data for a window probe (epan/dissectors/packet-tcp.c). So a capture of a full receive
# buffer looks like one of an idle connection. The kernel counts them rightly (TCPWinProbe, TCPKeepAlive in /proc/net/netstat),
# and ss -o shows the timer "persist". `baresock lab NAME --packets` calls them window probes, since the peer's last window
# was 0.
# Seen with Debian 12's tshark 4.0.17 and sid's 4.6.9, on Linux 6.18.
# Needs python3, ip and unshare: packets are captured in a network of its own.
set -eu
. "$(dirname "$0")/packages"
command -v python3 >/dev/null || { echo "needs python3"; exit 2; }
command -v ip >/dev/null || { echo "needs ip"; exit 2; }
unshare --user --map-root-user --net true 2>/dev/null || { echo "needs a network namespace"; exit 2; }

cat >"$place/full.py" <<'PYTHON'
"""Fills a receiver that does not read, and writes the packets to a file until the sender has probed three times."""
import socket, struct, subprocess, sys, time

PACKET_OUTGOING = 4
ETH_P_ALL = 3

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
wire.bind(("lo", 0))
wire.settimeout(30)

listener = socket.create_server(("127.0.0.1", 0))
listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
client.setblocking(False)
try:
    while True:
        client.send(bytes(20000))
except BlockingIOError:
    pass

with open(sys.argv[1], "wb") as file:
    # The header of a pcap file, of link type Ethernet.
    file.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
    probes, is_full = 0, False
    while probes < 3:
        frame, (_, _, kind, *_) = wire.recvfrom(262144)
        # Loopback shows each packet twice, as it leaves and as it arrives.
        if kind == PACKET_OUTGOING:
            continue
        now = time.time()
        file.write(struct.pack("=IIII", int(now), int(now % 1 * 1e6), len(frame), len(frame)) + frame)
        ip = 14 + (frame[14] & 15) * 4
        port, window = struct.unpack("!H12xH", frame[ip : ip + 16])
        if port == client.getsockname()[1]:
            probes += is_full
        else:
            is_full = window == 0

names, numbers = [line.split() for line in open("/proc/net/netstat") if line.startswith("TcpExt:")]
counted = dict(zip(names, numbers))
print("SO_KEEPALIVE", client.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
# On a busy machine another probe has come since the third.
print("the kernel's TCPWinProbe is at least 3:", int(counted["TCPWinProbe"]) >= 3)
print("its TCPKeepAlive", counted["TCPKeepAlive"])
PYTHON

check() {
    printf '%s\n%s\n\n' "$1" "$2"
    [ "$2" = "$3" ] || { printf 'CHANGED: expected\n%s\n' "$3"; exit 1; }
}

check "Linux $(uname -r)" "$(unshare --user --map-root-user --net python3 "$place/full.py" "$place/full.pcap")" 'SO_KEEPALIVE 0
the kernel'\''s TCPWinProbe is at least 3: True
its TCPKeepAlive 0'

# What tshark makes of the capture. It comes with the libraries of its suite.
check_tshark() {
    local suite=$1 version=$2 tree=$place/tshark-$1 seen
    download_with_libraries "$suite" "$tree" "tshark=$version"
    seen=$(for filter in keep_alive zero_window_probe; do
        printf '%s: ' "tcp.analysis.$filter"
        "${run[@]}" "$tree/usr/bin/tshark" -r "$place/full.pcap" -Y "tcp.analysis.$filter" 2>/dev/null | wc -l
    done)
    check "tshark $version" "$seen" 'tcp.analysis.keep_alive: 3
tcp.analysis.zero_window_probe: 0'
}

check_tshark bookworm 4.0.17-0+deb12u3
check_tshark sid 4.6.9-1+b1
