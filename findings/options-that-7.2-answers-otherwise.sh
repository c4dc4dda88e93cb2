#!/bin/bash
# Three answers that books and older code rely on, and that Linux 7.2 gives otherwise than 6.12:
# - setsockopt(SO_PASSCRED) on a TCP or UDP socket succeeded without any effect; it is EOPNOTSUPP now. Code that sets it on
#   every socket and checks the result fails.
# - UDP-Lite (protocol 136) is gone: EPROTONOSUPPORT.
# - SO_RCVBUF of 1,000,000 read back as 425,984 (twice net.core.rmem_max, 212,992). It reads back as 2,000,000 (the limit is
#   4 MiB). The same with SO_SNDBUF, where -1 gives the largest: it is compared as a number without a sign.
# Seen on Debian's 6.12.117 and 7.2.13.
set -eu
. "$(dirname "$0")/boot-kernel"

cat >"$place/options.c" <<'C'
#include "probe.h"

static void read_back(int fd, const char *name, int option, int value) {
    int now = value;
    socklen_t len = sizeof now;
    setsockopt(fd, SOL_SOCKET, option, &now, sizeof now);
    getsockopt(fd, SOL_SOCKET, option, &now, &len);
    say("%s %d reads back %d", name, value, now);
}

static void probe(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    say("SO_PASSCRED on TCP: %s", setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) ? strerror(errno) : "0");
    say("UDP-Lite: %s", socket(AF_INET, SOCK_DGRAM, 136) < 0 ? strerror(errno) : "a socket");
    read_back(fd, "SO_RCVBUF", SO_RCVBUF, 1000000);
    read_back(fd, "SO_SNDBUF", SO_SNDBUF, -1);
}
C

check "$linux_6_12" "$place/options.c" 'SO_PASSCRED on TCP: 0
UDP-Lite: a socket
SO_RCVBUF 1000000 reads back 425984
SO_SNDBUF -1 reads back 425984'
check "$linux_7_2" "$place/options.c" 'SO_PASSCRED on TCP: Operation not supported
UDP-Lite: Protocol not supported
SO_RCVBUF 1000000 reads back 2000000
SO_SNDBUF -1 reads back 8388608'
