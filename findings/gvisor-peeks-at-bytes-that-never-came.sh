#!/bin/bash
# recv with MSG_PEEK|MSG_WAITALL in gVisor: three bytes are there, and six are asked for. Linux waits for the other three, and shows all
# six. gVisor returns 6 at once, with "abcabc": each turn of its loop peeks at the same three bytes again. So a program that looks
# whether a whole message has come is shown one that the peer never sent. On TCP and on Unix-domain streams.
# Seen with gVisor's runsc of Debian 13 (2024-07-29), in its own network stack; Linux of this machine (6.18) beside it.
set -eu
. "$(dirname "$0")/packages"
command -v cc >/dev/null || { echo "needs cc"; exit 2; }
download trixie runsc=0.0~20240729.0-4+b7 "$place/runsc"
runsc=$(find "$place/runsc" -name runsc -type f)

cat >"$place/peek.c" <<'C'
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static void peek(const char *name, int from, int to) {
    char buf[7] = "";
    struct timeval second = {.tv_sec = 1};
    setsockopt(to, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
    send(from, "abc", 3, 0);
    usleep(100000);
    int seen = recv(to, buf, 6, MSG_PEEK | MSG_WAITALL);
    printf("%s: asked for 6 of \"abc\": %d, \"%.*s\"\n", name, seen, seen > 0 ? seen : 0, buf);
}

int main(void) {
    int pair[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    peek("Unix", pair[0], pair[1]);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&address, len);
    listen(listener, 1);
    getsockname(listener, (struct sockaddr *)&address, &len);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    connect(client, (struct sockaddr *)&address, len);
    peek("TCP", client, accept(listener, NULL, NULL));
    return 0;
}
C
cc -static -O1 -o "$place/peek" "$place/peek.c"

check() {
    printf '%s\n%s\n\n' "$1" "$2"
    [ "$2" = "$3" ] || { printf 'CHANGED: expected\n%s\n' "$3"; exit 1; }
}
# After the second of SO_RCVTIMEO Linux gives what is there.
check "Linux $(uname -r)" "$("$place/peek")" 'Unix: asked for 6 of "abc": 3, "abc"
TCP: asked for 6 of "abc": 3, "abc"'
check "gVisor, $("$runsc" --version | head -1)" "$("$runsc" --rootless --network=none --ignore-cgroups do "$place/peek")" \
    'Unix: asked for 6 of "abc": 6, "abcabc"
TCP: asked for 6 of "abc": 6, "abcabc"'
