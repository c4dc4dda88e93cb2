#!/bin/bash
# The time service of GNU inetutils' inetd (RFC 868) answers with eight bytes, not with four: it writes a variable of type long,
# which has eight bytes on 64-bit systems (inetutils 2.2, src/inetd.c: machtime_stream and machtime_dg). On a little-endian machine
# the first four are the time and four zeros follow, so a client that stops after four bytes, such as rdate, notices nothing; a
# client that reads to the end of file does. On a 64-bit big-endian machine the zeros must come first, as read, not tried.
# xinetd sends four. `baresock judge time` says of inetutils' what it received, and that it is too much.
# Seen with Debian 12's inetutils-inetd 2.4-2+deb12u3, Debian 13's 2.6-3+deb13u3, and xinetd 2.3.15.3, on x86-64 Linux 6.18.
# Needs python3 and unshare: the services listen on their own port, 37, in a network of their own.
set -eu
. "$(dirname "$0")/packages"
command -v python3 >/dev/null || { echo "needs python3"; exit 2; }
unshare --user --map-root-user --net true 2>/dev/null || { echo "needs a network namespace"; exit 2; }

cat >"$place/ask.py" <<'PYTHON'
"""Asks the time service that a command starts, over TCP and UDP: how many bytes come, and what are the last ones?"""
import socket, subprocess, sys, time

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
server = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def describe(answer):
    near = abs(int.from_bytes(answer[:4], "big") - 2208988800 - time.time()) < 60
    return f"{len(answer)} bytes, the first four {'are' if near else 'are not'} the time, then {answer[4:].hex() or 'nothing'}"


try:
    for attempt in range(200):
        try:
            client = socket.create_connection(("127.0.0.1", 37), 20)
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    stream = b""
    while piece := client.recv(100):
        stream += piece
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(20)
    client.sendto(b"", ("127.0.0.1", 37))
    print(f"TCP: {describe(stream)}; UDP: {describe(client.recv(100))}")
finally:
    server.kill()
PYTHON

check() {
    local seen
    seen=$(unshare --user --map-root-user --net python3 "$place/ask.py" "${@:3}")
    printf '%s: %s\n' "$1" "$seen"
    [ "$seen" = "$2" ] || { printf 'CHANGED: expected: %s\n' "$2"; exit 1; }
}

printf '127.0.0.1:time stream tcp nowait root internal\n127.0.0.1:time dgram udp wait root internal\n' >"$place/conf"
eight='8 bytes, the first four are the time, then 00000000'
four='4 bytes, the first four are the time, then nothing'

download bookworm inetutils-inetd=2:2.4-2+deb12u3 "$place/bookworm"
check "inetutils 2.4" "TCP: $eight; UDP: $eight" "$place/bookworm/usr/sbin/inetutils-inetd" -d "$place/conf"

# A newer one needs its own C library.
for package in inetutils-inetd=2:2.6-3+deb13u3 libc6=2.41-12+deb13u5; do
    download trixie "$package" "$place/trixie"
done
loader=$(find "$place/trixie" -name 'ld-linux-x86-64.so.2' -type f)
check "inetutils 2.6" "TCP: $eight; UDP: $eight" "$loader" --library-path "$place/trixie/usr/lib/x86_64-linux-gnu" \
    "$place/trixie/usr/sbin/inetutils-inetd" -d "$place/conf"

for package in xinetd=1:2.3.15.3-1+b1 libwrap0=7.6.q-32; do
    download bookworm "$package" "$place/xinetd"
done
for kind in stream:tcp:no dgram:udp:yes; do
    IFS=: read -r socket_type protocol wait <<<"$kind"
    printf 'service time\n{\n type = INTERNAL UNLISTED\n id = time-%s\n socket_type = %s\n protocol = %s\n wait = %s\n user = root\n' \
        "$protocol" "$socket_type" "$protocol" "$wait"
    printf ' port = 37\n bind = 127.0.0.1\n disable = no\n}\n'
done >"$place/xinetd.conf"
export LD_LIBRARY_PATH=$place/xinetd/usr/lib/x86_64-linux-gnu
check "xinetd" "TCP: $four; UDP: $four" "$place/xinetd/usr/sbin/xinetd" -dontfork -f "$place/xinetd.conf" -pidfile "$place/pid"
