/* A right echo server over select, and wrong ones: each -DMISTAKE=NAME makes one mistake.
 *
 *     cc -O2 -DMISTAKE=NO_REUSEADDR server.c -o server && ./server 7007
 *
 * -DLINES answers whole lines. What a mistake changes stands in an `if (IS(...))`, so that the rest is read as it is.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum mistake {
    NONE,
    SIGPIPE_ENDS,      /* send without MSG_NOSIGNAL */
    SHORT_SEND,        /* what send did not take is forgotten */
    EAGAIN_CLOSES,     /* EAGAIN from send is taken for an error */
    EOF_IGNORED,       /* 0 from recv is not the end */
    STRINGS,           /* what comes is a string */
    WHOLE_BUFFER,      /* the buffer is sent, not what came */
    ONE_AT_A_TIME,     /* the next client is accepted when the last has left */
    FD_SET_UNCHECKED,  /* FD_SET beyond FD_SETSIZE */
    FIXED_TABLE,       /* room for 64 clients, others are closed */
    EMFILE_SPINS,      /* the listener is asked about although accept cannot succeed */
    EMFILE_ENDS,       /* exit when accept fails */
    LEAKS_DESCRIPTORS, /* close is forgotten when a client has left */
    LEAKS_MEMORY,      /* what belongs to a client is not freed */
    NO_REUSEADDR,      /* bind fails while connections are in TIME_WAIT */
    IGNORES_SIGTERM,   /* SIGTERM does nothing */
    ALWAYS_WRITABLE,   /* room to send is asked for where nothing is to be sent */
    URGENT_CLOSES,     /* exceptfds is about errors */
    UNBOUNDED,         /* more is received however much is owed */
    UNBOUNDED_BUSY,    /* the same, and now and then it computes for longer than a full buffer seems final */
    RESET_ENDS,        /* exit when recv fails */
    RECV_IS_LINE,      /* (LINES) what a recv returns is a line */
    SHORT_LINES,       /* (LINES) a line is 4 KiB at most, written without a check */
    HANGS,             /* accepts, and never looks at a client */
    FLOODS,            /* sends without end whatever comes, and writes without end */
    CLOSES_PORT,       /* closes the listener after the third client */
};
#ifndef MISTAKE
#define MISTAKE NONE
#endif
#define IS(mistake) (MISTAKE == (mistake))
#ifdef LINES
enum { BY_LINES = 1 };
#else
enum { BY_LINES = 0 };
#endif

enum { MOST = 65536, MOST_OWED = 65536 };

struct client {
    int in_use;
    size_t held, owed; /* bytes of an unfinished line; bytes to be sent */
    int has_finished;
    char *in, *out;
    size_t room;
};

static struct client *clients; /* by descriptor */
static int most_clients;
static char buffer[16384];

static void leave(int fd) {
    struct client *c = &clients[fd];
    if (!IS(LEAKS_MEMORY)) {
        free(c->in);
        free(c->out);
    }
    memset(c, 0, sizeof *c);
    if (!IS(LEAKS_DESCRIPTORS))
        close(fd);
}

/* Appends to what is owed. */
static void owe(struct client *c, const char *bytes, size_t count) {
    if (c->owed + count > c->room) {
        c->room = (c->owed + count) * 2;
        c->out = realloc(c->out, c->room);
    }
    memcpy(c->out + c->owed, bytes, count);
    c->owed += count;
}

/* Sends what is owed, as far as there is room. */
static int pay(int fd) {
    struct client *c = &clients[fd];
    while (c->owed > 0) {
        ssize_t sent = send(fd, c->out, c->owed, IS(SIGPIPE_ENDS) ? 0 : MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN && !IS(EAGAIN_CLOSES)) {
            if (IS(SHORT_SEND))
                c->owed = 0;
            return 0;
        }
        if (sent < 0)
            return -1;
        if (IS(SHORT_SEND))
            sent = c->owed;
        memmove(c->out, c->out + sent, c->owed - sent);
        c->owed -= sent;
    }
    return 0;
}

/* Answers the whole lines among what is held and what came. */
static void answer_lines(struct client *c, char *bytes, size_t count) {
    if (IS(RECV_IS_LINE)) {
        owe(c, bytes, count);
        return;
    }
    if (IS(SHORT_LINES)) {
        char line[4096];
        for (size_t at = 0; at < count; at++)
            ((volatile char *)line)[at] = bytes[at];
    }
    c->in = realloc(c->in, c->held + count + 1);
    memcpy(c->in + c->held, bytes, count);
    c->held += count;
    char *end;
    while ((end = memchr(c->in, '\n', c->held)) != NULL) {
        size_t length = end + 1 - c->in;
        owe(c, c->in, length);
        memmove(c->in, c->in + length, c->held - length);
        c->held -= length;
    }
}

/* Uses a fifth of a second of processor time. */
static void compute(void) {
    clock_t end = clock() + CLOCKS_PER_SEC / 5;
    while (clock() < end)
        ;
}

/* -1 if the client is to leave. */
static int receive(int fd) {
    struct client *c = &clients[fd];
    ssize_t count = recv(fd, buffer, sizeof buffer, 0);
    if (count < 0) {
        if (IS(RESET_ENDS) && errno == ECONNRESET) {
            perror("recv");
            exit(1);
        }
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    }
    if (count == 0) {
        c->has_finished = !IS(EOF_IGNORED);
        return 0;
    }
    if (IS(STRINGS))
        count = strnlen(buffer, count);
    if (IS(WHOLE_BUFFER))
        count = sizeof buffer;
    if (BY_LINES)
        answer_lines(c, buffer, count);
    else
        owe(c, buffer, count);
    if (IS(UNBOUNDED_BUSY) && c->owed % (4 << 20) < (size_t)count)
        compute();
    return 0;
}

static int meet(int listener) {
    static int met;
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0) {
        if (IS(EMFILE_ENDS)) {
            perror("accept");
            exit(1);
        }
        return errno == EMFILE || errno == ENFILE ? -1 : 0;
    }
    if (IS(CLOSES_PORT) && ++met == 3)
        close(listener);
    if (fd >= most_clients || (!IS(FD_SET_UNCHECKED) && fd >= FD_SETSIZE) || (IS(FIXED_TABLE) && fd >= 68)) {
        close(fd);
        return 0;
    }
    clients[fd].in_use = 1;
    clients[fd].room = 8192;
    clients[fd].out = malloc(clients[fd].room);
    return 0;
}

/* What the loop does in one turn; `is_full` says that no descriptor is left. */
static void turn(int listener, int *is_full) {
    fd_set readable, writable, exceptional;
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    FD_ZERO(&exceptional);
    int highest = listener, is_busy = 0;
    for (int fd = 0; fd < most_clients; fd++) {
        struct client *c = &clients[fd];
        if (!c->in_use)
            continue;
        is_busy = 1;
        if (!IS(HANGS) && !c->has_finished && (c->owed < MOST_OWED || IS(UNBOUNDED) || IS(UNBOUNDED_BUSY)))
            FD_SET(fd, &readable);
        if (c->owed > 0 || IS(ALWAYS_WRITABLE))
            FD_SET(fd, &writable);
        if (IS(URGENT_CLOSES))
            FD_SET(fd, &exceptional);
        if (fd > highest)
            highest = fd;
    }
    if (!(IS(ONE_AT_A_TIME) && is_busy) && !(*is_full && !IS(EMFILE_SPINS)))
        FD_SET(listener, &readable);
    if (select(highest + 1, &readable, &writable, &exceptional, NULL) < 0) {
        if (errno == EBADF && IS(CLOSES_PORT))
            pause();
        return;
    }
    for (int fd = 0; fd <= highest; fd++) {
        struct client *c = &clients[fd];
        if (!c->in_use)
            continue;
        int leaves = 0;
        if (FD_ISSET(fd, &readable))
            leaves = receive(fd);
        if (IS(FLOODS)) {
            owe(c, buffer, sizeof buffer);
            write(1, buffer, sizeof buffer);
        }
        if (!leaves && (c->owed > 0 || IS(ALWAYS_WRITABLE)))
            leaves = pay(fd);
        if (FD_ISSET(fd, &exceptional))
            leaves = -1;
        if (leaves || (c->has_finished && c->owed == 0)) {
            leave(fd);
            *is_full = 0;
        }
    }
    if (FD_ISSET(listener, &readable) && meet(listener) < 0)
        *is_full = 1;
}

int main(int argc, char **argv) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1, is_full = 0;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (argc != 2)
        return 2;
    address.sin_port = htons(atoi(argv[1]));
    if (IS(IGNORES_SIGTERM))
        signal(SIGTERM, SIG_IGN);
    if (!IS(NO_REUSEADDR))
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 1024) < 0) {
        perror("bind");
        return 1;
    }
    most_clients = 8192;
    clients = calloc(most_clients, sizeof *clients);
    for (;;)
        turn(listener, &is_full);
}
