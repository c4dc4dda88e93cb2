#!/bin/bash
# A stopped process (SIGSTOP, Control-Z, a debugger): is the time in which it stood still part of the time that it waits?
# For poll(2) yes; for ppoll, select and pselect no, on the same kernel.
#
# A process waits one second in each call, is stopped after 0.4 s and continued 1.5 s later. poll computes when the wait
# ends before it is restarted (restart_block), and its second is over when the process goes on: it returns 1.9 s after the
# call. The others write what is left back into the caller's timeout, and are begun again with that: 2.5 s.
# Seen on Debian's 6.1.176, 6.12.117 and 7.2.13. So a program that changes from poll to ppoll changes its deadline under Control-Z.
set -eu
. "$(dirname "$0")/boot-kernel"

cat >"$place/stopped.c" <<'C'
#include "probe.h"

static int poll_(void) { struct pollfd row = {.fd = -1}; return poll(&row, 1, 1000); }
static int ppoll_(void) { struct pollfd row = {.fd = -1}; struct timespec t = {1, 0}; return ppoll(&row, 1, &t, NULL); }
static int select_(void) { struct timeval t = {1, 0}; return select(0, NULL, NULL, NULL, &t); }
static int pselect_(void) { struct timespec t = {1, 0}; return pselect(0, NULL, NULL, NULL, &t, NULL); }

static void measure(const char *name, int (*wait_one_second)(void)) {
    int ends[2];
    pipe(ends);
    pid_t child = fork();
    if (child == 0) {
        double began = now();
        int result = wait_one_second();
        double took = now() - began;
        write(ends[1], &took, sizeof took);
        _exit(result != 0);
    }
    usleep(400000);
    kill(child, SIGSTOP);
    usleep(1500000);
    kill(child, SIGCONT);
    double took = 0;
    read(ends[0], &took, sizeof took);
    int status;
    waitpid(child, &status, 0);
    // 1.9 s: the deadline ran on. 2.5 s: the rest was waited for.
    say("%s returned 0 after %s (status %d)", name, took < 2.2 ? "1.9 s" : "2.5 s", WEXITSTATUS(status));
    close(ends[0]);
    close(ends[1]);
}

static void probe(void) {
    measure("poll", poll_);
    measure("ppoll", ppoll_);
    measure("select", select_);
    measure("pselect", pselect_);
}
C

expected='poll returned 0 after 1.9 s (status 0)
ppoll returned 0 after 2.5 s (status 0)
select returned 0 after 2.5 s (status 0)
pselect returned 0 after 2.5 s (status 0)'

check "$linux_6_1" "$place/stopped.c" "$expected"
check "$linux_6_12" "$place/stopped.c" "$expected"
check "$linux_7_2" "$place/stopped.c" "$expected"
