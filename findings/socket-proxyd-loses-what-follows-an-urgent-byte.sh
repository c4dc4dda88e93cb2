#!/bin/bash
# systemd-socket-proxyd forwards TCP connections with splice(2), which stops at the mark of an urgent byte and returns 0 there, or EAGAIN
# (see splice-ends-at-an-urgent-byte.sh). A client sends "before", an urgent byte, "behind", and finishes sending. The target
# receives "before", then a clean end of file: "behind" is lost, and neither side gets an error. socat, which reads and
# writes, forwards all of it; the urgent byte itself is not forwarded by either.
# Seen with Debian 12's systemd-socket-proxyd 252.39 and socat 1.7.4.4, on Linux 6.18.
set -eu
. "$(dirname "$0")/packages"
command -v python3 >/dev/null || { echo "needs python3"; exit 2; }
for package in systemd=252.39-1~deb12u2 libsystemd-shared=252.39-1~deb12u2 socat=1.7.4.4-2; do
    download bookworm "$package" "$place/${package%%=*}"
done

cat >"$place/through.py" <<'PYTHON'
"""What a target receives through a forwarder: its command has {port} and {to} for where it listens and where the target does."""
import socket, subprocess, sys, time

with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
listener = socket.create_server(("127.0.0.1", 0))
listener.settimeout(20)
places = {"port": port, "to": listener.getsockname()[1]}
command = [word.format(**places) for word in sys.argv[1:]]
forwarder = subprocess.Popen(command, stderr=subprocess.DEVNULL)
try:
    for attempt in range(200):
        try:
            client = socket.create_connection(("127.0.0.1", port))
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    target, _ = listener.accept()
    target.settimeout(20)
    client.sendall(b"before")
    client.send(b"!", socket.MSG_OOB)
    client.sendall(b"behind")
    client.shutdown(socket.SHUT_WR)
    received = b""
    while piece := target.recv(100):
        received += piece
    print(received.decode() + ", then end of file")
finally:
    forwarder.kill()
PYTHON

check() {
    local seen
    seen=$(python3 "$place/through.py" "${@:3}")
    printf '%s: %s\n' "$1" "$seen"
    [ "$seen" = "$2" ] || { printf 'CHANGED: expected: %s\n' "$2"; exit 1; }
}

systemd=$place/systemd
export LD_LIBRARY_PATH=$place/libsystemd-shared/usr/lib/x86_64-linux-gnu/systemd
check "systemd-socket-proxyd" "before, then end of file" \
    "$systemd/usr/bin/systemd-socket-activate" -E LD_LIBRARY_PATH -l "127.0.0.1:{port}" \
    "$systemd/lib/systemd/systemd-socket-proxyd" "127.0.0.1:{to}"
unset LD_LIBRARY_PATH
check "socat" "beforebehind, then end of file" \
    "$place/socat/usr/bin/socat" "TCP-LISTEN:{port},bind=127.0.0.1" "TCP:127.0.0.1:{to}"
