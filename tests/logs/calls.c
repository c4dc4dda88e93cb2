/* Every socket call there is, in a few milliseconds. Mode: argv[1] */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_in at;

static void *client(void *arg) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    connect(fd, (void *)&at, sizeof at);
    write(fd, "GET / HTTP/1.0\r\n\r\n", 18);
    struct pollfd row = {fd, POLLIN, 0};
    poll(&row, 1, 2000);
    char buf[64];
    while (recv(fd, buf, sizeof buf, 0) > 0) ;
    shutdown(fd, SHUT_WR);
    close(fd);
    return arg;
}
static void on_signal(int s) { (void)s; }

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "all";
    signal(SIGPIPE, SIG_IGN);
    int one = 1, l = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(l, (void *)&at, sizeof at);
    socklen_t len = sizeof at;
    getsockname(l, (void *)&at, &len);
    listen(l, 16);
    fcntl(l, F_SETFL, fcntl(l, F_GETFL) | O_NONBLOCK);
    struct sockaddr_storage peer;
    len = sizeof peer;
    accept(l, (void *)&peer, &len);
    pthread_t t;
    pthread_create(&t, NULL, client, NULL);
    fd_set in;
    FD_ZERO(&in);
    FD_SET(l, &in);
    struct timeval tv = {2, 0};
    select(l + 1, &in, NULL, NULL, &tv);
    int c = accept4(l, (void *)&peer, &len, SOCK_CLOEXEC);
    char buf[512];
    recv(c, buf, sizeof buf, 0);
    struct timespec ms = {0, 30000000};
    nanosleep(&ms, NULL);
    setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct linger lin = {1, 0};
    setsockopt(c, SOL_SOCKET, SO_LINGER, &lin, sizeof lin);
    struct timeval rt = {1, 500000};
    setsockopt(c, SOL_SOCKET, SO_RCVTIMEO, &rt, sizeof rt);
    lin.l_onoff = 0;
    setsockopt(c, SOL_SOCKET, SO_LINGER, &lin, sizeof lin);
    int err;
    len = sizeof err;
    getsockopt(c, SOL_SOCKET, SO_ERROR, &err, &len);
    ioctl(c, FIONREAD, &err);
    send(c, "HTTP/1.0 200 OK\r\n", 17, MSG_NOSIGNAL | MSG_MORE);
    struct iovec iov[2] = {{"\r\n", 2}, {"\xff\0hello \"quoted\" \\ and more than thirty-two bytes", 50}};
    writev(c, iov, 2);
    shutdown(c, SHUT_WR);
    recv(c, buf, sizeof buf, 0);
    pthread_join(t, NULL);
    close(c);
    if (!strcmp(mode, "tcp")) return 0;

    int u = socket(AF_INET, SOCK_DGRAM, 0), v = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in ua = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bind(u, (void *)&ua, sizeof ua);
    len = sizeof ua;
    getsockname(u, (void *)&ua, &len);
    sendto(u, "datagram", 8, 0, (void *)&ua, sizeof ua);
    len = sizeof peer;
    recvfrom(u, buf, 4, MSG_TRUNC, (void *)&peer, &len);
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback, .sin6_port = htons(9)};
    connect(v, (void *)&six, sizeof six);
    send(v, "x", 1, 0);
    struct mmsghdr mm[2] = {{{&ua, sizeof ua, iov, 2, 0, 0, 0}, 0}, {{&ua, sizeof ua, iov, 1, 0, 0, 0}, 0}};
    sendmmsg(u, mm, 2, 0);
    char b1[64], b2[64];
    struct iovec i1 = {b1, 64}, i2 = {b2, 64};
    struct mmsghdr rm[2] = {{{0, 0, &i1, 1, 0, 0, 0}, 0}, {{0, 0, &i2, 1, 0, 0, 0}, 0}};
    recvmmsg(u, rm, 2, MSG_DONTWAIT, NULL);
    recv(u, buf, 8, MSG_DONTWAIT);

    int p[2], q[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, p);
    pipe(q);
    union { char b[CMSG_SPACE(2 * sizeof(int))]; struct cmsghdr h; } ctl;
    struct iovec i3 = {"fds", 3};
    struct msghdr m = {.msg_iov = &i3, .msg_iovlen = 1, .msg_control = &ctl, .msg_controllen = sizeof ctl};
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    h->cmsg_level = SOL_SOCKET, h->cmsg_type = SCM_RIGHTS, h->cmsg_len = CMSG_LEN(2 * sizeof(int));
    memcpy(CMSG_DATA(h), q, sizeof q);
    sendmsg(p[0], &m, 0);
    m.msg_controllen = sizeof ctl, m.msg_iov = &i1;
    recvmsg(p[1], &m, 0);
    struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/tmp/corpus.sock"};
    int ul = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unlink(un.sun_path);
    bind(ul, (void *)&un, sizeof un);
    listen(ul, 1);
    int uc = socket(AF_UNIX, SOCK_STREAM, 0);
    connect(uc, (void *)&un, sizeof un);
    un.sun_path[0] = 0;
    connect(uc, (void *)&un, 20);
    unlink("/tmp/corpus.sock");
    int d = dup(uc);
    dup2(d, 20);
    dup3(d, 21, O_CLOEXEC);
    fcntl(d, F_DUPFD, 30);
    fcntl(d, F_DUPFD_CLOEXEC, 40);
    fcntl(d, F_SETFD, FD_CLOEXEC);
    fcntl(d, F_GETFD);
    send(77, "bad", 3, 0);

    int ep = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.fd = p[0]}, evs[8];
    epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev);
    epoll_wait(ep, evs, 8, 0);
    write(p[1], "ready", 5);
    epoll_wait(ep, evs, 8, 100);
    epoll_pwait(ep, evs, 8, 100, NULL);
    ev.events = EPOLLOUT;
    epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev);
    epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL);
    sigset_t none;
    sigemptyset(&none);
    struct timespec ts = {0, 1000000};
    struct pollfd rows[3] = {{p[0], POLLIN | POLLOUT, 0}, {-1, 0, 0}, {l, POLLIN, 0}};
    ppoll(rows, 3, &ts, &none);
    FD_ZERO(&in);
    FD_SET(l, &in);
    FD_SET(p[0], &in);
    fd_set out = in;
    pselect(p[0] + 1, &in, &out, NULL, &ts, &none);
    select(0, NULL, NULL, NULL, &(struct timeval){0, 1000});
    poll(rows + 2, 1, 1);
    poll(NULL, 0, 0);
    FILE *f = tmpfile();
    fputs("file's bytes", f);
    fflush(f);
    off_t off = 5;
    sendfile(p[1], fileno(f), &off, 4);
    splice(p[0], NULL, q[1], NULL, 3, SPLICE_F_MOVE);
    readv(p[0], iov + 1, 0);
    i3 = (struct iovec){buf, 9};
    readv(q[0], &i3, 1);

    struct sigaction sa = {.sa_handler = on_signal};
    sigaction(SIGALRM, &sa, NULL);
    struct itimerval it = {{0, 0}, {0, 20000}};
    setitimer(ITIMER_REAL, &it, NULL);
    fcntl(ul, F_SETFL, 0);
    accept(ul, NULL, NULL);
    accept(ul, NULL, NULL);
    sa.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &sa, NULL);
    setitimer(ITIMER_REAL, &it, NULL);
    setsockopt(ul, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){0, 0}, sizeof rt);
    poll(rows + 2, 1, 40);
    recv(p[1], buf, 1, MSG_DONTWAIT);
    setitimer(ITIMER_REAL, &it, NULL);
    pid_t child = fork();
    if (child == 0) {
        struct timespec ms2 = {0, 60000000};
        nanosleep(&ms2, NULL);
        send(p[0], "late", 4, 0);
        signal(SIGPIPE, SIG_DFL);
        close_range(50, 60, 0);
        shutdown(p[0], SHUT_WR);
        write(p[0], "dies", 4);
        _exit(3);
    }
    recv(p[1], buf, 4, MSG_WAITALL);
    int status;
    wait(&status);
    if (!strcmp(mode, "exec")) execl("/bin/true", "true", NULL);
    close(p[0]);
    send(p[1], "x", 1, 0);
    return 0;
}
