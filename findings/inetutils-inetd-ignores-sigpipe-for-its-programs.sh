#!/bin/bash
# A service of inetd is a shell loop that writes a line, waits, and does not look at the result:
# `while :; do echo tick; sleep 1; done`. Its client leaves. Under OpenBSD's inetd and tcpserver one of the next writes raises
# SIGPIPE, which kills the shell. Under the inetd of GNU inetutils, and under socat with EXEC and nofork, the same program goes
# on, and its process stays although its client has left: both servers ignore SIGPIPE for themselves, and exec does not undo
# that.
# Seen with Debian 12's inetutils-inetd 2.4-2+deb12u3 and Debian 13's 2.6-3+deb13u3, socat 1.7.4.4, openbsd-inetd 0.20221205 and
# ucspi-tcp 0.88, on Linux 6.18.
# Needs python3, ip and unshare: the services listen in a network of their own.
set -eu
. "$(dirname "$0")/packages"
command -v python3 >/dev/null || { echo "needs python3"; exit 2; }
command -v ip >/dev/null || { echo "needs ip"; exit 2; }
unshare --user --map-root-user --net true 2>/dev/null || { echo "needs a network namespace"; exit 2; }

# The loop has an end here, which tells that it was reached.
cat >"$place/loop" <<EOF_LOOP
#!/bin/sh
sh -c 'turn=0; while [ \$turn -lt 30 ]; do echo tick; sleep 0.1; turn=\$((turn + 1)); done' 2>/dev/null
echo "\$?" >$place/status.new
mv $place/status.new $place/status
EOF_LOOP
chmod +x "$place/loop"

cat >"$place/leave.py" <<'PYTHON'
"""Starts a server, is its client for one line, leaves, and says how the program that served it has ended."""
import os, socket, subprocess, sys, time

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
status, server = sys.argv[1], subprocess.Popen(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def until(condition):
    for _ in range(1200):
        if result := condition():
            return result
        time.sleep(0.05)
    sys.exit("nothing came")


def client():
    try:
        return socket.create_connection(("127.0.0.1", 7007))
    except ConnectionRefusedError:
        return None


try:
    peer = until(client)
    peer.recv(5)
    peer.close()
    until(lambda: os.path.exists(status))
    with open(status) as file:
        ended = file.read().strip()
    print({"141": "killed by SIGPIPE", "0": "went on to its end"}.get(ended, ended))
finally:
    server.kill()
PYTHON

check() {
    local name=$1 expected=$2 seen
    rm -f "$place/status"
    seen=$(unshare --user --map-root-user --net python3 "$place/leave.py" "$place/status" "${@:3}")
    printf '%s: %s\n' "$name" "$seen"
    [ "$seen" = "$expected" ] || { printf 'CHANGED: expected: %s\n' "$expected"; exit 1; }
}

printf '127.0.0.1:7007 stream tcp nowait root %s/loop loop\n' "$place" >"$place/inetd.conf"

killed='killed by SIGPIPE'
goes_on='went on to its end'
tree=$place/bookworm
download_with_libraries bookworm "$tree" openbsd-inetd=0.20221205-2~deb12u1 ucspi-tcp=1:0.88-7
check "OpenBSD's inetd" "$killed" "${run[@]}" "$tree/usr/sbin/inetd" -d "$place/inetd.conf"
check "tcpserver" "$killed" "${run[@]}" "$tree/usr/bin/tcpserver" 127.0.0.1 7007 "$place/loop"

# The packages of two inetds exclude each other.
tree=$place/bookworm-inetutils
download_with_libraries bookworm "$tree" inetutils-inetd=2:2.4-2+deb12u3 socat=1.7.4.4-2
check "inetutils 2.4" "$goes_on" "${run[@]}" "$tree/usr/sbin/inetutils-inetd" -d "$place/inetd.conf"
check "socat" "$goes_on" "${run[@]}" "$tree/usr/bin/socat" TCP-LISTEN:7007,bind=127.0.0.1 "EXEC:$place/loop,nofork"

tree=$place/trixie
download_with_libraries trixie "$tree" inetutils-inetd=2:2.6-3+deb13u3
check "inetutils 2.6" "$goes_on" "${run[@]}" "$tree/usr/sbin/inetutils-inetd" -d "$place/inetd.conf"
