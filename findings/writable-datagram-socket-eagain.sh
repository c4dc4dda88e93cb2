#!/bin/bash
# A Unix-domain datagram socket that sends with sendto: the receiver's queue is full, the non-blocking sendto fails with
# EAGAIN, and poll answers POLLOUT at once, again and again. A loop that waits for writability as it would for any other
# socket spins. If the same socket is connected to the same receiver, poll is silent until the receiver has read.
# net/unix/af_unix.c: unix_dgram_poll looks at the receiver's queue of a connected socket only; of sendto it cannot know.
# The queue holds net.unix.max_dgram_qlen + 1 datagrams, however small they are, so SO_SNDBUF is far from full.
# Seen on Debian's 6.1.176, 6.12.117 and 7.2.13.
set -eu
. "$(dirname "$0")/boot-kernel"

cat >"$place/datagrams.c" <<'C'
#include "probe.h"

static const char *poll_says(int fd) {
    struct pollfd row = {.fd = fd, .events = POLLOUT};
    return poll(&row, 1, 100) == 1 && row.revents == POLLOUT ? "POLLOUT" : "nothing";
}

static void probe(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0receiver"};
    socklen_t len = sizeof address.sun_family + 9;
    int receiver = socket(AF_UNIX, SOCK_DGRAM, 0);
    bind(receiver, (struct sockaddr *)&address, len);

    int sender = socket(AF_UNIX, SOCK_DGRAM, 0), sent = 0, limit = 0;
    while (sendto(sender, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&address, len) == 1) sent++;
    int number = errno;
    FILE *file = fopen("/proc/sys/net/unix/max_dgram_qlen", "r");
    if (file) fscanf(file, "%d", &limit);
    say("sendto: %d datagrams (limit + %d), then %s; poll %s", sent, sent - limit, number == EAGAIN ? "EAGAIN" : "?",
        poll_says(sender));

    connect(sender, (struct sockaddr *)&address, len);
    say("connected: send %s; poll %s", send(sender, "x", 1, MSG_DONTWAIT) < 0 && errno == EAGAIN ? "EAGAIN" : "?",
        poll_says(sender));
    char byte;
    recv(receiver, &byte, 1, 0);
    say("after the receiver has read one: poll %s", poll_says(sender));
}
C

expected='sendto: 11 datagrams (limit + 1), then EAGAIN; poll POLLOUT
connected: send EAGAIN; poll nothing
after the receiver has read one: poll POLLOUT'

check "$linux_6_1" "$place/datagrams.c" "$expected"
check "$linux_6_12" "$place/datagrams.c" "$expected"
check "$linux_7_2" "$place/datagrams.c" "$expected"
