/* O_ASYNC is added to the flags that F_GETFL gives. */
#include "peer.h"

int main(void)
{
	struct sockaddr_in at;
	int l = listen_at(&at, 8);
	if (second() == 0) {
		close(l);
		int c = dial(at);
		pause_ms(100);
		send(c, "hello", 5, 0);
		close(c);
		return 0;
	}
	int a = must(accept4(l, NULL, NULL, SOCK_NONBLOCK), "accept4");
	close(l);
	char buf[512];
	int flags = must(fcntl(a, F_GETFL), "F_GETFL");
	must(fcntl(a, F_SETFL, flags | O_ASYNC), "F_SETFL");
	for (;;) {
		ssize_t n = recv(a, buf, sizeof buf, 0);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			break;
		if (n < 0)
			readable(a, -1);
	}
	close(a);
	wait(NULL);
	return 0;
}
