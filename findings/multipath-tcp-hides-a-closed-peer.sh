#!/bin/bash
# socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP) at both ends, and the peer closes. Over TCP the first send draws a reset and the
# second fails with EPIPE. Over multipath TCP the sends go on succeeding for a minute: the first reset closes a subflow, and
# the connection waits for another (net.mptcp.close_timeout, 60 s). poll says neither POLLERR nor POLLHUP meanwhile.
# Go's net package listens with multipath TCP by default since 1.24, so ordinary servers meet it.
# Seen on Debian's 6.12.117 and 7.2.13.
set -eu
. "$(dirname "$0")/boot-kernel"

cat >"$place/multipath.c" <<'C'
#include "probe.h"

static void send_to_a_closed_peer(const char *name, int protocol) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, protocol);
    if (listener < 0) { say("%s: socket: %s", name, strerror(errno)); return; }
    bind(listener, (struct sockaddr *)&address, len);
    listen(listener, 1);
    getsockname(listener, (struct sockaddr *)&address, &len);
    int client = socket(AF_INET, SOCK_STREAM, protocol);
    connect(client, (struct sockaddr *)&address, len);
    int peer = accept(listener, NULL, NULL);
    // The first exchange makes sure that both have agreed on multipath.
    char byte;
    send(client, "x", 1, 0);
    recv(peer, &byte, 1, 0);
    send(peer, "y", 1, 0);
    recv(client, &byte, 1, 0);
    close(peer);
    usleep(100000);
    double began = now();
    int sent = 0;
    while (sent < 900 && send(client, "z", 1, MSG_NOSIGNAL) == 1) {
        sent++;
        if (sent == 30) {
            struct pollfd row = {.fd = client, .events = POLLIN | POLLOUT};
            poll(&row, 1, 0);
            say("%s: after 30 sends poll says%s%s%s%s", name, row.revents & POLLIN ? " POLLIN" : "",
                row.revents & POLLOUT ? " POLLOUT" : "", row.revents & POLLERR ? " POLLERR" : "",
                row.revents & POLLHUP ? " POLLHUP" : "");
        }
        usleep(100000);
    }
    int number = errno;
    double took = now() - began;
    say("%s: %s sends succeeded, then %s after %s", name, sent > 500 ? "hundreds of" : sent == 1 ? "1" : "some",
        number == EPIPE ? "EPIPE" : strerror(number), took < 1 ? "less than a second" : took > 55 && took < 70 ? "a minute" : "another time");
}

static void probe(void) {
    send_to_a_closed_peer("TCP", IPPROTO_TCP);
    send_to_a_closed_peer("MPTCP", IPPROTO_MPTCP);
}
C

expected='TCP: 1 sends succeeded, then EPIPE after less than a second
MPTCP: after 30 sends poll says POLLIN POLLOUT
MPTCP: hundreds of sends succeeded, then EPIPE after a minute'

check "$linux_6_12" "$place/multipath.c" "$expected"
check "$linux_7_2" "$place/multipath.c" "$expected"
