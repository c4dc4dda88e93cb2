#!/bin/bash
# read(fd, buf, 0) and recv(fd, buf, 0, 0) are not the same call. read returns 0 at once (sock_read_iter asks for no bytes and
# stops there). recv goes on to the protocol, and on a stream without data it waits until a byte comes, which it then leaves.
# If a signal ends that wait, recv on a Unix-domain stream fails with EINTR; recv on TCP returns 0, the value that otherwise
# says that the peer has finished.
# On a datagram socket read(fd, buf, 0) takes nothing; recv(fd, buf, 0, 0) takes the datagram and throws its bytes away.
# Seen on Debian's 6.1.176, 6.12.117 and 7.2.13. (POSIX lets read of 0 bytes test for errors; of recv it says nothing.)
set -eu
. "$(dirname "$0")/boot-kernel"

cat >"$place/nothing.c" <<'C'
#include "probe.h"

static void on_alarm(int signal) { (void)signal; }

static const char *shown(ssize_t result, double began, char text[64]) {
    int number = errno;
    int waited = now() - began > 0.5;
    snprintf(text, 64, "%s%s", result >= 0 ? "0" : number == EINTR ? "EINTR" : strerror(number),
             waited ? " when the alarm came" : " at once");
    return text;
}

static void try_both(const char *name, int fd) {
    char buffer[1], text[64];
    double began = now();
    say("%s: read of 0 bytes: %s", name, shown(read(fd, buffer, 0), began, text));
    alarm(1);
    began = now();
    say("%s: recv of 0 bytes: %s", name, shown(recv(fd, buffer, 0, 0), began, text));
}

static void probe(void) {
    struct sigaction action = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &action, NULL);
    int ends[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    try_both("Unix-domain stream", ends[0]);

    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&address, len);
    listen(listener, 1);
    getsockname(listener, (struct sockaddr *)&address, &len);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    connect(client, (struct sockaddr *)&address, len);
    try_both("TCP", client);

    socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
    send(ends[1], "abc", 3, 0);
    send(ends[1], "def", 3, 0);
    char buffer[4] = "";
    read(ends[0], buffer, 0);
    recv(ends[0], buffer, 0, 0);
    recv(ends[0], buffer, 3, 0);
    say("datagrams: after read and recv of 0 bytes, the next is \"%s\"", buffer);
}
C

expected='Unix-domain stream: read of 0 bytes: 0 at once
Unix-domain stream: recv of 0 bytes: EINTR when the alarm came
TCP: read of 0 bytes: 0 at once
TCP: recv of 0 bytes: 0 when the alarm came
datagrams: after read and recv of 0 bytes, the next is "def"'

check "$linux_6_1" "$place/nothing.c" "$expected"
check "$linux_6_12" "$place/nothing.c" "$expected"
check "$linux_7_2" "$place/nothing.c" "$expected"
