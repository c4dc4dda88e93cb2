#!/bin/bash
# select with a closed file descriptor in its set: EBADF, says POSIX. Linux's manual page select(2) says, under BUGS, that the
# kernel ignores numbers above the highest file descriptor that the process has open. The border is another: the size of
# the process's table of file descriptors, which begins at 64, grows by doubling and does not shrink. With the highest
# open number 2, closed 63 is EBADF and closed 64 is ignored (select waits as if it were not there). After 300 was open once and
# is closed again, closed 299 and 511 are EBADF. A child of fork starts with a table of its own size again.
# Seen on Debian's 6.1.176, 6.12.117 and 7.2.13. So whether a server notices a closed file descriptor in its set depends on the
# largest number that it ever had open.
set -eu
. "$(dirname "$0")/boot-kernel"

cat >"$place/closed.c" <<'C'
#include "probe.h"
#include <sys/resource.h>

static const char *select_says(int fd) {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fd, &set);
    struct timeval no_time = {0, 0};
    int result = select(fd + 1, &set, NULL, NULL, &no_time);
    return result < 0 ? strerror(errno) : "ignored";
}

static void probe(void) {
    for (int fd = 3; fd < 600; fd++) close(fd);
    struct rlimit limit = {1024, 1024};
    setrlimit(RLIMIT_NOFILE, &limit);
    say("highest open 2: closed 3 %s, closed 63 %s, closed 64 %s", select_says(3), select_says(63), select_says(64));
    dup2(0, 300);
    close(300);
    say("300 was open once: closed 64 %s, closed 511 %s, closed 512 %s", select_says(64), select_says(511), select_says(512));
    pid_t child = fork();
    if (child == 0) {
        say("a child of fork: closed 63 %s, closed 64 %s", select_says(63), select_says(64));
        _exit(0);
    }
    waitpid(child, NULL, 0);
}
C

expected='highest open 2: closed 3 Bad file descriptor, closed 63 Bad file descriptor, closed 64 ignored
300 was open once: closed 64 Bad file descriptor, closed 511 Bad file descriptor, closed 512 ignored
a child of fork: closed 63 Bad file descriptor, closed 64 ignored'

check "$linux_6_1" "$place/closed.c" "$expected"
check "$linux_6_12" "$place/closed.c" "$expected"
check "$linux_7_2" "$place/closed.c" "$expected"
