/* The server closes first, ends, and begins again: its port is still in TIME_WAIT. */
#include "peer.h"

static int listen_again(struct sockaddr_in *at)
{
	socklen_t len = sizeof *at;
	int l = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
	if (bind(l, (struct sockaddr *)at, len) < 0) {
		perror("bind");
		close(l);
		return -1;
	}
	must(listen(l, 8), "listen");
	must(getsockname(l, (struct sockaddr *)at, &len), "getsockname");
	return l;
}

int main(void)
{
	struct sockaddr_in at = loopback(0);
	int l = listen_again(&at);
	if (second() == 0) {
		close(l);
		drain(dial(at));
		return 0;
	}
	int a = take(l);
	close(a);
	wait(NULL);
	close(l);
	l = listen_again(&at);
	if (l >= 0)
		close(l);
	return 0;
}
