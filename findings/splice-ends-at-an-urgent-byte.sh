#!/bin/bash
# An urgent byte in a TCP stream stops splice(2). At the mark splice on a blocking socket returns 0, which is how it says
# end of file, and on a non-blocking socket EAGAIN, although bytes are there; recv at the same place gives them. A forwarder that is built on
# splice ends the connection cleanly there, and everything behind the mark is lost.
# net/ipv4/tcp.c: tcp_read_sock stops at the urgent mark, and tcp_splice_read takes "nothing read" for the end.
# Seen on Debian's 5.10.223, 6.1.176, 6.12.117 and 7.2.13.
set -eu
. "$(dirname "$0")/boot-kernel"

cat >"$place/splice.c" <<'C'
#include "probe.h"

static void probe(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&address, len);
    listen(listener, 1);
    getsockname(listener, (struct sockaddr *)&address, &len);
    int from = socket(AF_INET, SOCK_STREAM, 0);
    connect(from, (struct sockaddr *)&address, len);
    int to = accept(listener, NULL, NULL);
    int ends[2];
    pipe(ends);
    send(from, "before", 6, 0);
    send(from, "!", 1, MSG_OOB);
    send(from, "behind", 6, 0);
    usleep(100000);
    char buffer[32];
    say("splice gives %zd", splice(to, NULL, ends[1], NULL, 100, 0));
    say("at the mark, blocking socket: splice gives %zd", splice(to, NULL, ends[1], NULL, 100, 0));
    fcntl(to, F_SETFL, O_NONBLOCK);
    ssize_t got = splice(to, NULL, ends[1], NULL, 100, 0);
    say("at the mark, non-blocking socket: splice gives %s", got == 0 ? "0" : got > 0 ? "bytes" : errno == EAGAIN ? "EAGAIN" : strerror(errno));
    got = recv(to, buffer, sizeof buffer, 0);
    say("recv there gives \"%.*s\"", (int)got, buffer);
}
C

expected='splice gives 6
at the mark, blocking socket: splice gives 0
at the mark, non-blocking socket: splice gives EAGAIN
recv there gives "behind"'

check "$linux_5_10" "$place/splice.c" "$expected"
check "$linux_6_1" "$place/splice.c" "$expected"
check "$linux_6_12" "$place/splice.c" "$expected"
check "$linux_7_2" "$place/splice.c" "$expected"
