#!/bin/bash
# sendto to UDP port 0 is EINVAL on Linux, and connect of TCP to port 0 is refused. connect of a UDP socket to port 0 succeeds,
# getpeername then fails with ENOTCONN, and send succeeds, each time: it puts a datagram with destination port 0 on the wire.
# The one sign is ECONNREFUSED afterwards, where the destination is near enough to refuse it. A port that was not filled in (a failed strtol, a
# forgotten htons of 0) is an error of sendto, and no error of connect and send.
# net/ipv4/udp.c: udp_sendmsg checks the port of msg_name alone.
# Seen on Debian's 6.1.176, 6.12.117 and 7.2.13.
set -eu
. "$(dirname "$0")/boot-kernel"

cat >"$place/zero.c" <<'C'
#include "probe.h"

static const char *result(ssize_t value, char text[64]) {
    if (value < 0) snprintf(text, 64, "%s", strerror(errno));
    else snprintf(text, 64, "%zd", value);
    return text;
}

static void probe(void) {
    char text[64];
    struct sockaddr_in zero = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, peer;
    struct sockaddr *to = (struct sockaddr *)&zero;
    socklen_t len = sizeof zero;
    int fd = socket(AF_INET, SOCK_DGRAM, 0), pending = -1;
    say("sendto: %s", result(sendto(fd, "x", 1, 0, to, len), text));
    say("connect: %s", result(connect(fd, to, len), text));
    socklen_t size = sizeof peer;
    say("getpeername: %s", result(getpeername(fd, (struct sockaddr *)&peer, &size), text));
    say("send: %s", result(send(fd, "x", 1, 0), text));
    usleep(100000);
    size = sizeof pending;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &pending, &size);
    say("SO_ERROR: %d, send again: %s", pending, result(send(fd, "x", 1, 0), text));
}
C

expected='sendto: Invalid argument
connect: 0
getpeername: Transport endpoint is not connected
send: 1
SO_ERROR: 111, send again: 1'

check "$linux_6_1" "$place/zero.c" "$expected"
check "$linux_6_12" "$place/zero.c" "$expected"
check "$linux_7_2" "$place/zero.c" "$expected"
