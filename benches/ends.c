/* Both ends of a relay: the clients, and the target that the relay connects to.
 *
 *   ends RELAY_PORT TARGET_PORT CONNECTIONS MESSAGE_BYTES WINDOW SECONDS
 *
 * A client sends a message and gets the same bytes back from the target; it keeps up to WINDOW messages under way. With
 * WINDOW 0 the clients only send, as fast as the relay takes the bytes, and the target is a process of its own.
 *
 * It listens on TARGET_PORT and connects to the relay as soon as the relay listens, prints "ready", and begins when a
 * line comes on standard input. At the end it prints how many messages arrived, and in how many seconds. Exit status 1:
 * a connection failed, or a wrong byte arrived.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 1 << 18, PERIOD = 251 };

/* One direction has this many bytes behind it, and may have so many. */
struct way {
    unsigned long long sent, arrived, allowed;
};

struct couple {
    int client, target;
    struct way there, back;
};

static char pattern[PIECE + PERIOD]; /* the byte number k of each direction is k % PERIOD */
static char buffer[PIECE];

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct sockaddr_in loopback(int port) {
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((unsigned short)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void prepare(int fd) {
    int one = 1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0) fail("setsockopt");
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0) fail("fcntl");
}

static int listen_at(int port) {
    struct sockaddr_in address = loopback(port);
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) fail("socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0) fail("setsockopt");
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("bind");
    if (listen(fd, 128) < 0) fail("listen");
    return fd;
}

/* The relay may still be starting, so a refusal is tried again for ten seconds. */
static int dial(int port) {
    struct sockaddr_in address = loopback(port);
    struct timespec pause = {0, 10 * 1000 * 1000};
    for (int tries = 0;; tries++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (fd < 0) fail("socket");
        if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
        if (errno != ECONNREFUSED || tries == 1000) fail("connect");
        close(fd);
        nanosleep(&pause, NULL);
    }
}

static struct couple make_couple(int listener, int relay_port) {
    struct couple couple;
    struct pollfd asked = {.fd = listener, .events = POLLIN};
    memset(&couple, 0, sizeof couple);
    couple.client = dial(relay_port);
    if (poll(&asked, 1, 10 * 1000) != 1) {
        fprintf(stderr, "the relay did not connect to its target\n");
        exit(1);
    }
    couple.target = accept(listener, NULL, NULL);
    if (couple.target < 0) fail("accept");
    prepare(couple.client);
    prepare(couple.target);
    return couple;
}

/* Sends what is allowed, as far as the kernel takes it. */
static void send_allowed(int fd, struct way *way) {
    while (way->sent < way->allowed) {
        unsigned long long left = way->allowed - way->sent;
        size_t len = left < PIECE ? (size_t)left : PIECE;
        ssize_t sent = send(fd, pattern + way->sent % PERIOD, len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) return;
        if (sent < 0) fail("send");
        way->sent += (unsigned long long)sent;
    }
}

static void receive(int fd, struct way *way) {
    ssize_t len = recv(fd, buffer, sizeof buffer, 0);
    if (len < 0 && errno == EAGAIN) return;
    if (len < 0) fail("recv");
    if (len == 0) {
        fprintf(stderr, "the relay closed a connection\n");
        exit(1);
    }
    /* The ends of each piece: comparing all of it would take as long as the relay does. */
    if (buffer[0] != pattern[way->arrived % PERIOD] ||
        buffer[len - 1] != pattern[(way->arrived + (unsigned long long)len - 1) % PERIOD]) {
        fprintf(stderr, "a wrong byte arrived near byte %llu\n", way->arrived);
        exit(1);
    }
    way->arrived += (unsigned long long)len;
}

/* Receives what the clients send, until it is killed. */
static void receive_all(struct couple *couples, struct pollfd *asked, int connections) {
    for (int k = 0; k < connections; k++) asked[k] = (struct pollfd){.fd = couples[k].target, .events = POLLIN};
    for (;;) {
        if (poll(asked, (nfds_t)connections, -1) < 0) fail("poll");
        for (int k = 0; k < connections; k++) {
            if (asked[k].revents) receive(couples[k].target, &couples[k].there);
        }
    }
}

/* How many bytes have gone all the way. */
static unsigned long long count_arrived(const struct couple *couples, int connections, unsigned long long window) {
    unsigned long long arrived = 0;
    for (int k = 0; k < connections; k++) arrived += window == 0 ? couples[k].there.arrived : couples[k].back.arrived;
    return arrived;
}

int main(int argc, char **argv) {
    if (argc != 7) {
        fprintf(stderr, "usage: ends RELAY_PORT TARGET_PORT CONNECTIONS MESSAGE_BYTES WINDOW SECONDS\n");
        return 2;
    }
    int relay_port = atoi(argv[1]), listener = listen_at(atoi(argv[2])), connections = atoi(argv[3]);
    unsigned long long size = strtoull(argv[4], NULL, 10), window = strtoull(argv[5], NULL, 10);
    double seconds = atof(argv[6]);
    /* Whatever happens, it does not hang. */
    alarm((unsigned)seconds + 30);
    for (size_t k = 0; k < sizeof pattern; k++) pattern[k] = (char)(k % PERIOD);
    /* Shared with the process that is the target when the clients only send. */
    struct couple *couples = mmap(NULL, (size_t)connections * sizeof *couples, PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct pollfd *asked = calloc((size_t)connections * 2, sizeof *asked);
    if (couples == MAP_FAILED || asked == NULL) fail("no memory");
    for (int k = 0; k < connections; k++) couples[k] = make_couple(listener, relay_port);
    printf("ready\n");
    fflush(stdout);
    if (getchar() == EOF) return 1;

    pid_t target = window == 0 ? fork() : -1;
    if (target == 0) receive_all(couples, asked, connections);
    double begin = now(), end = begin;
    /* On a busy machine the time may be over before a message has gone both ways. */
    while (end - begin < seconds || count_arrived(couples, connections, window) < size) {
        for (int k = 0; k < connections; k++) {
            struct couple *it = &couples[k];
            it->there.allowed = window == 0 ? it->there.sent + PIECE : (it->back.arrived / size + window) * size;
            it->back.allowed = window == 0 ? 0 : it->there.arrived;
            send_allowed(it->client, &it->there);
            send_allowed(it->target, &it->back);
            short more = it->there.sent < it->there.allowed || window == 0 ? POLLOUT : 0;
            asked[2 * k] = (struct pollfd){.fd = it->client, .events = (short)(POLLIN | more)};
            more = it->back.sent < it->back.allowed ? POLLOUT : 0;
            asked[2 * k + 1] = (struct pollfd){.fd = window == 0 ? -1 : it->target, .events = (short)(POLLIN | more)};
        }
        if (poll(asked, (nfds_t)connections * 2, 5000) <= 0) {
            fprintf(stderr, "nothing has moved for five seconds\n");
            return 1;
        }
        for (int k = 0; k < connections; k++) {
            if (asked[2 * k].revents & ~POLLOUT) receive(couples[k].client, &couples[k].back);
            if (asked[2 * k + 1].revents & ~POLLOUT) receive(couples[k].target, &couples[k].there);
        }
        end = now();
    }
    printf("%.3f %.6f\n", (double)count_arrived(couples, connections, window) / (double)size, end - begin);
    fflush(stdout);
    if (target > 0 && (kill(target, SIGKILL) < 0 || waitpid(target, NULL, 0) < 0)) fail("the target");
    /* The CPU time of the relay is read before the connections end. */
    getchar();
    return 0;
}
