#!/bin/bash
# To attach with a debugger or with strace is not only to look. A process without a single signal handler waits; another attaches
# (PTRACE_SEIZE and PTRACE_INTERRUPT, as strace does), and detaches at once. select, poll and a plain recv wait on. But epoll_wait
# fails with EINTR, and so do recv and accept on a socket with SO_RCVTIMEO; recv with MSG_WAITALL returns the part that it has.
# SIGSTOP and SIGCONT (Control-Z and fg) do the same. signal(7) lists these calls for stop signals, without MSG_WAITALL; a program
# that takes EINTR for impossible, because it handles no signal, ends when it is looked at.
# Seen on Debian's 6.1.176, 6.12.117 and 7.2.13.
set -eu
. "$(dirname "$0")/boot-kernel"

cat >"$place/attach.c" <<'C'
#include "probe.h"
#include <sys/ptrace.h>

static int listener, ours, theirs;

static int waits(int which) {
    char buf[10];
    struct timeval second = {.tv_sec = 1};
    struct pollfd row = {.fd = ours, .events = POLLIN};
    struct epoll_event event;
    fd_set set;
    switch (which) {
    case 0: return poll(&row, 1, 1000);
    case 1:
        FD_ZERO(&set);
        FD_SET(ours, &set);
        return select(ours + 1, &set, NULL, NULL, &second);
    case 2: return recv(ours, buf, 10, 0);
    case 3: return epoll_wait(epoll_create1(0), &event, 1, 1000);
    case 4:
        setsockopt(ours, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
        return recv(ours, buf, 10, 0);
    case 5:
        setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
        return accept(listener, NULL, NULL);
    default:
        send(theirs, "abc", 3, 0);
        return recv(ours, buf, 10, MSG_WAITALL);
    }
}

static const char *names[] = {"poll", "select", "recv", "epoll_wait", "recv with SO_RCVTIMEO", "accept with SO_RCVTIMEO",
    "recv of 10 with MSG_WAITALL"};

static void look(pid_t child, int by_signal) {
    if (by_signal) {
        kill(child, SIGSTOP);
        usleep(100000);
        kill(child, SIGCONT);
        return;
    }
    ptrace(PTRACE_SEIZE, child, 0, 0);
    ptrace(PTRACE_INTERRUPT, child, 0, 0);
    int status;
    waitpid(child, &status, __WALL);
    ptrace(PTRACE_DETACH, child, 0, 0);
}

static void probe(void) {
    for (int by_signal = 0; by_signal < 2; by_signal++) {
        say(by_signal ? "stopped and continued:" : "attached to and left:");
        for (int which = 0; which < 7; which++) {
            struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
            socklen_t len = sizeof address;
            listener = socket(AF_INET, SOCK_STREAM, 0);
            bind(listener, (struct sockaddr *)&address, len);
            listen(listener, 1);
            getsockname(listener, (struct sockaddr *)&address, &len);
            theirs = socket(AF_INET, SOCK_STREAM, 0);
            connect(theirs, (struct sockaddr *)&address, len);
            ours = accept(listener, NULL, NULL);
            pid_t child = fork();
            if (child == 0) {
                int result = waits(which);
                if (result < 0) say("%s: %s", names[which], errno == EINTR ? "EINTR" : strerror(errno));
                else say("%s: %d", names[which], result);
                _exit(0);
            }
            usleep(300000);
            look(child, by_signal);
            // What waits on has an end all the same.
            usleep(300000);
            if (which == 2) send(theirs, "x", 1, 0);
            waitpid(child, NULL, 0);
            close(ours);
            close(theirs);
            close(listener);
        }
    }
}
C

expected='attached to and left:
poll: 0
select: 0
recv: 1
epoll_wait: EINTR
recv with SO_RCVTIMEO: EINTR
accept with SO_RCVTIMEO: EINTR
recv of 10 with MSG_WAITALL: 3
stopped and continued:
poll: 0
select: 0
recv: 1
epoll_wait: EINTR
recv with SO_RCVTIMEO: EINTR
accept with SO_RCVTIMEO: EINTR
recv of 10 with MSG_WAITALL: 3'
check "$linux_6_1" "$place/attach.c" "$expected"
check "$linux_6_12" "$place/attach.c" "$expected"
check "$linux_7_2" "$place/attach.c" "$expected"
