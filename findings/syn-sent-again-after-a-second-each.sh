#!/bin/bash
# When is a SYN without an answer sent again? "After 1, 3 and 7 seconds", say the books: the wait doubles. Since Linux 6.5
# (net.ipv4.tcp_syn_linear_timeouts = 4) the first waits do not double: 1, 2, 3, 4, 5, then 7 s.
# Here a listener's queue is full, and TCP_INFO of the connecting socket counts the repetitions each tenth of a second.
# Seen on Debian's 6.1.176 (1, 3, 7 s) and 6.12.117 (1, 2, 3, 4, 5, 7 s), and 7.2.13 as 6.12.
set -eu
. "$(dirname "$0")/boot-kernel"

cat >"$place/syn.c" <<'C'
#include "probe.h"

static void probe(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&address, len);
    listen(listener, 0);
    getsockname(listener, (struct sockaddr *)&address, &len);
    int client = -1;
    for (int i = 0; i < 2; i++) {
        client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(client, (struct sockaddr *)&address, len);
        if (i == 0) usleep(100000);
    }
    double began = now();
    int seen = 0;
    char line[128] = "";
    while (now() - began < 8) {
        struct tcp_info info;
        socklen_t size = sizeof info;
        getsockopt(client, IPPROTO_TCP, TCP_INFO, &info, &size);
        if (info.tcpi_retransmits > seen) {
            seen = info.tcpi_retransmits;
            snprintf(line + strlen(line), sizeof line - strlen(line), " %.0f s", now() - began);
        }
        usleep(50000);
    }
    say("sent again after%s", line);
}
C

check "$linux_6_1" "$place/syn.c" 'sent again after 1 s 3 s 7 s'
check "$linux_6_12" "$place/syn.c" 'sent again after 1 s 2 s 3 s 4 s 5 s 7 s'
check "$linux_7_2" "$place/syn.c" 'sent again after 1 s 2 s 3 s 4 s 5 s 7 s'
