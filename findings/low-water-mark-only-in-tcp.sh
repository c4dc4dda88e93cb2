#!/bin/bash
# SO_RCVLOWAT 10, three bytes have arrived. On TCP poll stays silent until ten are there, and a blocking recv waits: the two
# agree. On a Unix-domain stream setsockopt succeeds as well and recv waits for ten, but poll says POLLIN for the three: a
# program that was told "readable" sleeps in recv.
# net/unix/af_unix.c: unix_stream_read_generic asks sock_rcvlowat(); unix_poll looks at whether the queue is empty.
# Seen on Debian's 6.1.176, 6.12.117 and 7.2.13.
set -eu
. "$(dirname "$0")/boot-kernel"

cat >"$place/lowat.c" <<'C'
#include "probe.h"

static void on_alarm(int signal) { (void)signal; }

static void three_of_ten(const char *name, int from, int to) {
    int ten = 10;
    int set = setsockopt(to, SOL_SOCKET, SO_RCVLOWAT, &ten, sizeof ten);
    send(from, "abc", 3, 0);
    struct pollfd row = {.fd = to, .events = POLLIN};
    int ready = poll(&row, 1, 200);
    char buffer[100];
    alarm(1);
    double began = now();
    ssize_t got = recv(to, buffer, sizeof buffer, 0);
    say("%s: setsockopt %d, poll %s, recv gives %zd %s", name, set, ready ? "POLLIN" : "nothing", got,
        now() - began > 0.5 ? "when a signal ends its wait" : "at once");
}

static void probe(void) {
    struct sigaction action = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &action, NULL);
    int ends[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    three_of_ten("Unix-domain", ends[0], ends[1]);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&address, len);
    listen(listener, 1);
    getsockname(listener, (struct sockaddr *)&address, &len);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    connect(client, (struct sockaddr *)&address, len);
    three_of_ten("TCP", client, accept(listener, NULL, NULL));
}
C

expected='Unix-domain: setsockopt 0, poll POLLIN, recv gives 3 when a signal ends its wait
TCP: setsockopt 0, poll nothing, recv gives 3 when a signal ends its wait'

check "$linux_6_1" "$place/lowat.c" "$expected"
check "$linux_6_12" "$place/lowat.c" "$expected"
check "$linux_7_2" "$place/lowat.c" "$expected"
