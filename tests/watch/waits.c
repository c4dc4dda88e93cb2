/* Waits in the call that argv[1] names, for one that attaches; then sends, and ends. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

int main(int argc, char **argv) {
    const char *call = argc > 1 ? argv[1] : "";
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) return 1;
    char buf[64];
    struct timeval timeout = {60, 0};
    printf("waiting\n");
    fflush(stdout);
    if (!strcmp(call, "epoll_wait")) {
        int ep = epoll_create1(0);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = pair[0]};
        epoll_ctl(ep, EPOLL_CTL_ADD, pair[0], &event);
        epoll_wait(ep, &event, 1, 60000);
    } else if (!strcmp(call, "recv")) {
        setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
        recv(pair[0], buf, sizeof buf, 0);
    } else if (!strcmp(call, "waitall")) {
        send(pair[1], "part", 4, 0);
        recv(pair[0], buf, sizeof buf, MSG_WAITALL);
    } else {
        struct pollfd row = {pair[0], POLLIN, 0};
        poll(&row, 1, 1500);
    }
    send(pair[0], "after", 5, 0);
    return 0;
}
