#!/bin/bash
# A non-blocking connect is under way (EINPROGRESS) and the program has nothing to send, so it says shutdown(fd, SHUT_WR) at once,
# to send its FIN as soon as it can. shutdown returns 0. But the connection attempt is thrown away: poll says POLLERR and
# POLLHUP, send fails with ECONNRESET, recv with ENOTCONN, and SO_ERROR, asked after that, is 0.
# The same two calls in the other order of events (the handshake was quicker) are an ordinary half-close.
# net/ipv4/af_inet.c: inet_shutdown disconnects a socket in SYN_SENT, whichever half is named.
# Seen on Debian's 6.1.176, 6.12.117 and 7.2.13.
set -eu
. "$(dirname "$0")/boot-kernel"

cat >"$place/early.c" <<'C'
#include "probe.h"

static const char *result(ssize_t value, char text[64]) {
    if (value < 0) snprintf(text, 64, "%s", strerror(errno));
    else snprintf(text, 64, "%zd", value);
    return text;
}

static void probe(void) {
    char text[64], byte;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), fd = -1;
    bind(listener, (struct sockaddr *)&address, len);
    listen(listener, 0);
    getsockname(listener, (struct sockaddr *)&address, &len);
    // The first fills the listener's queue, so that the second stays in SYN_SENT.
    for (int i = 0; i < 2; i++) {
        fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(fd, (struct sockaddr *)&address, len);
        usleep(100000);
    }
    say("shutdown(SHUT_WR) while connecting: %s", result(shutdown(fd, SHUT_WR), text));
    struct pollfd row = {.fd = fd, .events = POLLIN | POLLOUT};
    poll(&row, 1, 0);
    say("poll:%s%s%s%s", row.revents & POLLIN ? " POLLIN" : "", row.revents & POLLOUT ? " POLLOUT" : "",
        row.revents & POLLERR ? " POLLERR" : "", row.revents & POLLHUP ? " POLLHUP" : "");
    say("send: %s", result(send(fd, "x", 1, MSG_NOSIGNAL), text));
    say("recv: %s", result(recv(fd, &byte, 1, 0), text));
    int pending = -1;
    socklen_t size = sizeof pending;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &pending, &size);
    say("SO_ERROR: %d", pending);
}
C

expected='shutdown(SHUT_WR) while connecting: 0
poll: POLLOUT POLLERR POLLHUP
send: Connection reset by peer
recv: Transport endpoint is not connected
SO_ERROR: 0'

check "$linux_6_1" "$place/early.c" "$expected"
check "$linux_6_12" "$place/early.c" "$expected"
check "$linux_7_2" "$place/early.c" "$expected"
