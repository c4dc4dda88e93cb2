#!/bin/bash
# shutdown(fd, SHUT_RD) on a UDP socket that is not connected fails with ENOTCONN, and takes effect all the same: a recv that
# waited returns 0, and so does each later one. A UDP server whose receiving thread is woken by shutdown from another thread is
# told that the shutdown has failed, while its next recvfrom returns 0, which on UDP also is an empty datagram.
# net/ipv4/af_inet.c: inet_shutdown sets ENOTCONN and then still sets sk_shutdown and wakes the waiting thread.
# Seen on Debian's 6.1.176, 6.12.117 and 7.2.13.
set -eu
. "$(dirname "$0")/boot-kernel"

cat >"$place/udp.c" <<'C'
#include "probe.h"
#include <pthread.h>

static const char *result(ssize_t value, char text[64]) {
    if (value < 0) snprintf(text, 64, "%s", strerror(errno));
    else snprintf(text, 64, "%zd", value);
    return text;
}

static void *receive(void *fd) {
    char byte;
    return (void *)recv(*(int *)fd, &byte, 1, 0);
}

static void probe(void) {
    char text[64], byte;
    int alone = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    bind(alone, (struct sockaddr *)&address, len);
    getsockname(alone, (struct sockaddr *)&address, &len);
    pthread_t thread;
    pthread_create(&thread, NULL, receive, &alone);
    usleep(200000);
    say("not connected: shutdown(SHUT_RD): %s", result(shutdown(alone, SHUT_RD), text));
    void *received;
    pthread_join(thread, &received);
    say("the recv that waited: %zd", (ssize_t)received);
    say("the next recv: %s", result(recv(alone, &byte, 1, 0), text));
}
C

expected='not connected: shutdown(SHUT_RD): Transport endpoint is not connected
the recv that waited: 0
the next recv: 0'

check "$linux_6_1" "$place/udp.c" "$expected"
check "$linux_6_12" "$place/udp.c" "$expected"
check "$linux_7_2" "$place/udp.c" "$expected"
