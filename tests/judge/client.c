/* A right echo client, and wrong ones: each -DMISTAKE=NAME makes one mistake. It sends what comes on standard input, and writes
 * what comes back to standard output.
 *
 *     cc -O2 -DMISTAKE=SENDS_FIRST client.c -o client && ./client 7007 <file
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum mistake {
    NONE,
    ONE_RECV,         /* one recv is the whole answer */
    SENDS_FIRST,      /* everything is sent before anything is received */
    ERRORS_ARE_ENDS,  /* recv's -1 is the end of the answer */
    SMALL_BUFFER,     /* the answer has room for 4 KiB, written without a check */
    BUSY,             /* waits by trying again and again */
    TRIES_FOREVER,    /* connect is tried without end */
};
#ifndef MISTAKE
#define MISTAKE NONE
#endif
#define IS(mistake) (MISTAKE == (mistake))

static char in[16384], out[16384];

static void fail(const char *call) {
    perror(call);
    exit(1);
}

static void write_all(const char *bytes, ssize_t count) {
    while (count > 0) {
        ssize_t written = write(1, bytes, count);
        if (written < 0)
            fail("write");
        bytes += written;
        count -= written;
    }
}

/* Receives once and writes it. 0 at the end. */
static int take(int fd) {
    static char answer[4096];
    static size_t at;
    ssize_t count = recv(fd, in, sizeof in, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return 1;
    if (count < 0 && IS(ERRORS_ARE_ENDS))
        return 0;
    if (count < 0)
        fail("recv");
    if (IS(SMALL_BUFFER)) {
        memcpy(answer + at, in, count);
        at += count;
    }
    write_all(in, count);
    if (IS(ONE_RECV))
        exit(0);
    return count > 0;
}

int main(int argc, char **argv) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (argc != 2)
        return 2;
    address.sin_port = htons(atoi(argv[1]));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    while (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        if (!IS(TRIES_FOREVER))
            fail("connect");
        usleep(50000);
    }
    size_t held = 0, sent_of = 0;
    int has_input = 1;
    for (;;) {
        struct pollfd rows[2] = {{fd, POLLIN, 0}, {-1, POLLIN, 0}};
        if (held > 0)
            rows[0].events |= POLLOUT;
        else if (has_input)
            rows[1].fd = 0;
        if (IS(SENDS_FIRST) && (has_input || held > 0))
            rows[0].events &= ~POLLIN;
        if (poll(rows, 2, IS(BUSY) ? 0 : -1) < 0 && errno != EINTR)
            fail("poll");
        if (rows[0].revents & (POLLOUT) && held > 0) {
            int flags = MSG_NOSIGNAL | (IS(SENDS_FIRST) ? 0 : MSG_DONTWAIT);
            ssize_t sent = send(fd, out + sent_of, held, flags);
            if (sent < 0 && errno != EAGAIN && errno != EINTR) {
                /* The server may have finished: what it has said is taken still. */
                if (errno != EPIPE && errno != ECONNRESET)
                    fail("send");
                while (take(fd))
                    ;
                if (!IS(ERRORS_ARE_ENDS) && errno == ECONNRESET)
                    fail("send");
                return 0;
            }
            if (sent > 0) {
                sent_of += sent;
                held -= sent;
            }
            if (held == 0 && !has_input)
                shutdown(fd, SHUT_WR);
        }
        if (rows[1].revents) {
            ssize_t count = read(0, out, sizeof out);
            if (count < 0)
                fail("read");
            held = count;
            sent_of = 0;
            has_input = count > 0;
            if (!has_input)
                shutdown(fd, SHUT_WR);
        }
        if (rows[0].revents & (POLLIN | POLLHUP | POLLERR) && rows[0].events & POLLIN && !take(fd))
            return 0;
    }
}
