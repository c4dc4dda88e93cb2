#!/bin/bash
# SO_RCVTIMEO {0, 0} means "wait without a limit". setsockopt also takes {-1, 0}, and that means "do not wait": recv on the
# blocking socket fails with EAGAIN at once. getsockopt gives {0, 0} for both, so a program that saves the timeout, changes
# it and puts it back has turned one into its opposite. The same holds for SO_SNDTIMEO.
# net/core/sock.c: sock_set_timeout stores 0 jiffies for a negative time, sock_get_timeout writes them as {0, 0}.
# Seen on Debian's 6.1.176, 6.12.117 and 7.2.13.
set -eu
. "$(dirname "$0")/boot-kernel"

cat >"$place/timeouts.c" <<'C'
#include "probe.h"

static void on_alarm(int signal) { (void)signal; }

static void receive_with(long seconds, int save_and_restore) {
    int ends[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    struct timeval limit = {seconds, 0};
    int set = setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    struct timeval read_back = {7, 7};
    socklen_t len = sizeof read_back;
    getsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &read_back, &len);
    if (save_and_restore) setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &read_back, len);
    alarm(1);
    char byte;
    ssize_t got = recv(ends[0], &byte, 1, 0);
    say("{%ld, 0}%s: setsockopt %d, reads back {%ld, %ld}, recv: %s", seconds, save_and_restore ? " saved and restored" : "",
        set, (long)read_back.tv_sec, (long)read_back.tv_usec,
        got == 0 ? "0" : errno == EAGAIN ? "EAGAIN at once" : errno == EINTR ? "waits" : strerror(errno));
    alarm(0);
}

static void probe(void) {
    struct sigaction action = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &action, NULL);
    receive_with(0, 0);
    receive_with(-1, 0);
    receive_with(-1, 1);
}
C

expected='{0, 0}: setsockopt 0, reads back {0, 0}, recv: waits
{-1, 0}: setsockopt 0, reads back {0, 0}, recv: EAGAIN at once
{-1, 0} saved and restored: setsockopt 0, reads back {0, 0}, recv: waits'

check "$linux_6_1" "$place/timeouts.c" "$expected"
check "$linux_6_12" "$place/timeouts.c" "$expected"
check "$linux_7_2" "$place/timeouts.c" "$expected"
