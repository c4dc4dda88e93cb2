/* The bare calls, timed as simply as possible: N quiet UDP sockets, select and poll without waiting. */
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>

enum { ROUNDS = 401 };

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static int order(const void *a, const void *b) {
    return *(double *)a < *(double *)b ? -1 : *(double *)a > *(double *)b;
}

int main(int argc, char **argv) {
    int n = argc > 1 ? atoi(argv[1]) : 1, calls = 1 + 4000 / (n + 10), nfds = 0;
    static struct pollfd rows[FD_SETSIZE];
    static double by_select[ROUNDS], by_poll[ROUNDS];
    fd_set all;
    FD_ZERO(&all);
    for (int i = 0; i < n; i++) {
        int fd = socket(AF_INET, SOCK_DGRAM, 0);
        if (fd < 0 || fd >= FD_SETSIZE) return 1;
        rows[i] = (struct pollfd){fd, POLLIN, 0};
        FD_SET(fd, &all);
        nfds = fd + 1;
    }
    for (int round = 0; round < ROUNDS; round++) {
        double began = now_us();
        for (int i = 0; i < calls; i++) {
            fd_set set = all;
            struct timeval at_once = {0, 0};
            select(nfds, &set, NULL, NULL, &at_once);
        }
        by_select[round] = (now_us() - began) / calls;
        began = now_us();
        for (int i = 0; i < calls; i++) poll(rows, n, 0);
        by_poll[round] = (now_us() - began) / calls;
    }
    qsort(by_select, ROUNDS, sizeof *by_select, order);
    qsort(by_poll, ROUNDS, sizeof *by_poll, order);
    printf("%f %f\n", by_select[ROUNDS / 2], by_poll[ROUNDS / 2]);
    return 0;
}
