/* What the pairs share: a listener on a free port of loopback, a client of it, a second process, a pause. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int must(int result, const char *what)
{
	if (result < 0) {
		perror(what);
		exit(9);
	}
	return result;
}

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

/* A listener on a free port; at says which. */
static inline int listen_at(struct sockaddr_in *at, int backlog)
{
	socklen_t len = sizeof *at;
	int l = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
	*at = loopback(0);
	must(bind(l, (struct sockaddr *)at, len), "bind");
	must(listen(l, backlog), "listen");
	must(getsockname(l, (struct sockaddr *)at, &len), "getsockname");
	return l;
}

static inline int dial(struct sockaddr_in at)
{
	int c = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
	must(connect(c, (struct sockaddr *)&at, sizeof at), "connect");
	return c;
}

static inline int take(int l)
{
	return must(accept(l, NULL, NULL), "accept");
}

/* A second process, which never outlives the first: 0 there. */
static inline int second(void)
{
	int pid = must(fork(), "fork");
	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* A pause that is no call on a socket. */
static inline void pause_ms(int ms)
{
	usleep(ms * 1000);
}

/* Reads until the peer has finished, and closes. */
static inline void drain(int c)
{
	static char buf[65536];
	while (recv(c, buf, sizeof buf, 0) > 0)
		;
	close(c);
}

static inline void make_nonblocking(int fd)
{
	int flags = must(fcntl(fd, F_GETFL), "F_GETFL");
	must(fcntl(fd, F_SETFL, flags | O_NONBLOCK), "F_SETFL");
}

/* Whether fd can be read from within the time. */
static inline int readable(int fd, int timeout_ms)
{
	struct pollfd row = { fd, POLLIN, 0 };
	return poll(&row, 1, timeout_ms) > 0;
}
