#!/bin/bash
# strace -yy writes the addresses of a socket after its descriptor, and it looks them up once. A UDP socket is connected to one
# address and then to another, and each later line, getpeername's as well, still shows the first: the peer in angle brackets and
# the peer in the answer contradict each other. If strace shows a call on a bound socket before its connect, it never shows a
# peer. A TCP socket that is disconnected (AF_UNSPEC) and connected again shows the first connection, and send seems to go to a
# server that receives nothing.
# src/socketutils.c: get_sockaddr_by_inode_cached keeps the text by the socket's inode number, and no call removes it.
# `baresock read` takes the peer from connect and accept, and passes over what -yy wrote.
# Seen with Debian 12's strace 6.1, Debian 13's 6.13 and sid's 7.2, on Linux 6.18.
set -eu
. "$(dirname "$0")/packages"
command -v cc >/dev/null || { echo "needs cc"; exit 2; }

cat >"$place/again.c" <<'C'
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in peer;

static int bound(const char *name, int type) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, type, 0);
    bind(fd, (struct sockaddr *)&address, len);
    getsockname(fd, (struct sockaddr *)&address, &len);
    /* The names of the ports, for the script that reads strace's lines. */
    printf("s/\\b%d\\b/%s/g\n", ntohs(address.sin_port), name);
    peer = address;
    return fd;
}

static void send_and_ask(int fd, const char *text) {
    struct sockaddr_in answer;
    socklen_t len = sizeof answer;
    send(fd, text, strlen(text), 0);
    getpeername(fd, (struct sockaddr *)&answer, &len);
}

static void name_own_port(int fd, const char *name) {
    struct sockaddr_in own;
    socklen_t len = sizeof own;
    getsockname(fd, (struct sockaddr *)&own, &len);
    printf("s/\\b%d\\b/%s/g\n", ntohs(own.sin_port), name);
}

static void connect_in_turn(int fd, const struct sockaddr_in *first, const struct sockaddr_in *second, const char *name) {
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    connect(fd, (struct sockaddr *)first, sizeof *first);
    name_own_port(fd, name);
    send_and_ask(fd, "first");
    connect(fd, &none, sizeof none);
    connect(fd, (struct sockaddr *)second, sizeof *second);
    send_and_ask(fd, "second");
}

int main(void) {
    bound("FIRST", SOCK_DGRAM);
    struct sockaddr_in first = peer;
    bound("SECOND", SOCK_DGRAM);
    struct sockaddr_in second = peer;
    connect_in_turn(socket(AF_INET, SOCK_DGRAM, 0), &first, &second, "UDP");

    int fd = bound("BOUND", SOCK_DGRAM);
    connect(fd, (struct sockaddr *)&first, sizeof first);
    send_and_ask(fd, "bound");

    int listener = bound("THIRD", SOCK_STREAM);
    listen(listener, 1);
    first = peer;
    int other = bound("FOURTH", SOCK_STREAM);
    listen(other, 1);
    second = peer;
    connect_in_turn(socket(AF_INET, SOCK_STREAM, 0), &first, &second, "TCP");
    char text[8] = "";
    recv(accept(other, NULL, NULL), text, 6, MSG_WAITALL);
    fprintf(stderr, "the server FOURTH received \"%s\"\n", text);
    return 0;
}
C
cc -O1 -o "$place/again" "$place/again.c"

expected='send UDP:[UDP->FIRST] "first"
getpeername UDP:[UDP->FIRST] FIRST
send UDP:[UDP->FIRST] "second"
getpeername UDP:[UDP->FIRST] SECOND
send UDP:[BOUND] "bound"
getpeername UDP:[BOUND] FIRST
send TCP:[TCP->THIRD] "first"
getpeername TCP:[TCP->THIRD] THIRD
send TCP:[TCP->THIRD] "second"
getpeername TCP:[TCP->THIRD] FOURTH
the server FOURTH received "second"'

# Shortens `sendto(5<UDP:[127.0.0.1:1->127.0.0.1:2]>, "first", …` to `send UDP:[1->2] "first"`, with names for the ports.
check() {
    local name=$1 seen
    shift
    "$@" -yy -qq -e signal=none -e trace=network -o "$place/log" "$place/again" >"$place/names" 2>"$place/received"
    seen=$(grep -E '^(sendto|getpeername)' "$place/log" | sed -E -f "$place/names" -e 's/127\.0\.0\.1://g' \
        -e 's/^sendto\([0-9]+<(.*)>, ("[a-z]*").*/send \1 \2/' \
        -e 's/^getpeername\([0-9]+<(.*)>, .*htons\(([A-Z]*)\).*/getpeername \1 \2/'
        cat "$place/received")
    printf '%s\n%s\n\n' "$name" "$seen"
    [ "$seen" = "$expected" ] || { printf 'CHANGED: expected\n%s\n' "$expected"; exit 1; }
}

for strace in bookworm/6.1-0.1 trixie/6.13+ds-1 sid/7.2+ds-1+b1; do
    tree=$place/${strace%/*}
    download_with_libraries "${strace%/*}" "$tree" "strace=${strace#*/}"
    check "strace ${strace#*/}" "${run[@]}" "$tree/usr/bin/strace"
done
