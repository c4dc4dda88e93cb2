#!/bin/bash
# The queue of a Unix-domain listener is full, and another client connects. On Linux a blocking connect waits until the server accepts;
# a non-blocking one gives EAGAIN, and poll says POLLOUT|POLLHUP of its socket at once. In gVisor the blocking connect gives EAGAIN as
# well, which connect(2) has for non-blocking sockets only; and poll says nothing of a socket whose connect gave EAGAIN, so a
# client that waits until it is writable, as after EINPROGRESS, waits forever.
# Seen with gVisor's runsc of Debian 13 (2024-07-29); Linux of this machine (6.18) beside it.
set -eu
. "$(dirname "$0")/packages"
command -v cc >/dev/null || { echo "needs cc"; exit 2; }
download trixie runsc=0.0~20240729.0-4+b7 "$place/runsc"
runsc=$(find "$place/runsc" -name runsc -type f)

cat >"$place/full.c" <<'C'
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0full"};

static int client(int flags) {
    return socket(AF_UNIX, SOCK_STREAM | flags, 0);
}

static const char *try(int fd) {
    return connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ? strerror(errno) : "0";
}

int main(void) {
    int listener = client(0);
    bind(listener, (struct sockaddr *)&address, sizeof address);
    listen(listener, 0);
    try(client(0));
    int fd = client(SOCK_NONBLOCK);
    printf("non-blocking connect: %s\n", try(fd));
    struct pollfd row = {.fd = fd, .events = POLLOUT};
    int ready = poll(&row, 1, 300);
    printf("poll: %d, revents %#x\n", ready, row.revents);
    fflush(stdout);
    if (fork() == 0) {
        usleep(300000);
        accept(listener, NULL, NULL);
        _exit(0);
    }
    printf("blocking connect, and the server accepts: %s\n", try(client(0)));
    wait(NULL);
    return 0;
}
C
cc -static -O1 -o "$place/full" "$place/full.c"

check() {
    printf '%s\n%s\n\n' "$1" "$2"
    [ "$2" = "$3" ] || { printf 'CHANGED: expected\n%s\n' "$3"; exit 1; }
}
check "Linux $(uname -r)" "$("$place/full")" 'non-blocking connect: Resource temporarily unavailable
poll: 1, revents 0x14
blocking connect, and the server accepts: 0'
check "gVisor, $("$runsc" --version | head -1)" "$("$runsc" --rootless --network=none --ignore-cgroups do "$place/full")" \
    'non-blocking connect: Resource temporarily unavailable
poll: 0, revents 0
blocking connect, and the server accepts: Resource temporarily unavailable'
