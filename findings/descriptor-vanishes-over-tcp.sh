#!/bin/bash
# A file descriptor sent with SCM_RIGHTS over TCP or UDP: sendmsg succeeds, the data byte arrives, the file descriptor does
# not, and no flag says so at either end (MSG_CTRUNC is not set). A control message of the same level that Linux does not
# know at all (type 77) is EINVAL, so a check for "was the control message understood" passes as well.
# net/core/sock.c (__sock_cmsg_send) accepts SCM_RIGHTS and SCM_CREDENTIALS for every protocol and ignores them.
# Seen on Debian's 6.1.176, 6.12.117 and 7.2.13.
set -eu
. "$(dirname "$0")/boot-kernel"

cat >"$place/passing.c" <<'C'
#include "probe.h"

static ssize_t send_with(int fd, int type) {
    union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control = {0};
    struct iovec part = {"x", 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    int out = 1;
    memcpy(CMSG_DATA(header), &out, sizeof out);
    return sendmsg(fd, &message, 0);
}

static void pass(const char *name, int from, int to) {
    ssize_t sent = send_with(from, SCM_RIGHTS);
    union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control;
    char byte = 0;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t got = recvmsg(to, &message, 0);
    say("%s: sendmsg %zd, recvmsg %zd '%c', control bytes %zu, msg_flags %#x", name, sent, got, byte,
        (size_t)message.msg_controllen, message.msg_flags);
    sent = send_with(from, 77);
    say("%s, type 77: %s", name, sent < 0 ? strerror(errno) : "sent");
}

static void connected(int type, int ends[2]) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int server = socket(AF_INET, type, 0);
    bind(server, (struct sockaddr *)&address, len);
    getsockname(server, (struct sockaddr *)&address, &len);
    if (type == SOCK_STREAM) listen(server, 1);
    ends[0] = socket(AF_INET, type, 0);
    connect(ends[0], (struct sockaddr *)&address, len);
    ends[1] = type == SOCK_STREAM ? accept(server, NULL, NULL) : server;
}

static void probe(void) {
    int ends[2];
    connected(SOCK_STREAM, ends);
    pass("TCP", ends[0], ends[1]);
    connected(SOCK_DGRAM, ends);
    pass("UDP", ends[0], ends[1]);
}
C

expected="TCP: sendmsg 1, recvmsg 1 'x', control bytes 0, msg_flags 0
TCP, type 77: Invalid argument
UDP: sendmsg 1, recvmsg 1 'x', control bytes 0, msg_flags 0
UDP, type 77: Invalid argument"

check "$linux_6_1" "$place/passing.c" "$expected"
check "$linux_6_12" "$place/passing.c" "$expected"
check "$linux_7_2" "$place/passing.c" "$expected"
