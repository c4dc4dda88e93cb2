#!/bin/bash
# A Unix-domain stream on which poll says POLLIN, FIONREAD says 0, and a blocking recv sleeps.
#
# The peer sends one urgent byte (MSG_OOB). The receiver takes that byte with MSG_OOB. It stays in the queue as a consumed
# mark, and unix_poll answers POLLIN for a queue that is not empty, while recv finds nothing to give and waits.
# Seen on Debian's 6.1.176, 6.12.117 and 7.2.13.
#
# Part two: "ab", urgent 'Z', "cd". After "ab" and the Z were read, 6.1 says POLLIN and FIONREAD 2, but a non-blocking recv
# gives EAGAIN once and the bytes only when it is asked again; 6.12 and 7.2 give "cd" at once.
set -eu
. "$(dirname "$0")/boot-kernel"

cat >"$place/urgent.c" <<'C'
#include "probe.h"

static const char *poll_says(int fd) {
    struct pollfd row = {.fd = fd, .events = POLLIN};
    return poll(&row, 1, 0) == 1 && row.revents & POLLIN ? "POLLIN" : "nothing";
}

static const char *recv_says(int fd, int flags) {
    static char text[64];
    char buffer[16];
    ssize_t got = recv(fd, buffer, sizeof buffer, flags);
    if (got < 0) return errno == EAGAIN ? "EAGAIN" : errno == EINTR ? "interrupted by the alarm" : strerror(errno);
    snprintf(text, sizeof text, "\"%.*s\"", (int)got, buffer);
    return text;
}

static void on_alarm(int signal) { (void)signal; }

static void probe(void) {
    int ends[2], unread = -1;
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    if (send(ends[0], "!", 1, MSG_OOB) != 1) { say("send: %s", strerror(errno)); return; }
    say("recv with MSG_OOB: %s", recv_says(ends[1], MSG_OOB));
    ioctl(ends[1], FIONREAD, &unread);
    say("poll: %s, FIONREAD: %d", poll_says(ends[1]), unread);
    struct sigaction action = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &action, NULL);
    alarm(2);
    say("a blocking recv: %s", recv_says(ends[1], 0));

    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    send(ends[0], "ab", 2, 0);
    send(ends[0], "Z", 1, MSG_OOB);
    send(ends[0], "cd", 2, 0);
    recv_says(ends[1], 0);
    recv_says(ends[1], MSG_OOB);
    ioctl(ends[1], FIONREAD, &unread);
    say("behind the mark: poll: %s, FIONREAD: %d", poll_says(ends[1]), unread);
    say("first recv: %s", recv_says(ends[1], MSG_DONTWAIT));
    say("second recv: %s", recv_says(ends[1], MSG_DONTWAIT));
}
C

both='recv with MSG_OOB: "!"
poll: POLLIN, FIONREAD: 0
a blocking recv: interrupted by the alarm
behind the mark: poll: POLLIN, FIONREAD: 2'

check "$linux_6_1" "$place/urgent.c" "$both
first recv: EAGAIN
second recv: \"cd\""
for kernel in "$linux_6_12" "$linux_7_2"; do
    check "$kernel" "$place/urgent.c" "$both
first recv: \"cd\"
second recv: EAGAIN"
done
