/* A non-blocking recv; where it has nothing, poll waits. */
#include "peer.h"

int main(void)
{
	struct sockaddr_in at;
	int l = listen_at(&at, 8);
	if (second() == 0) {
		close(l);
		int c = dial(at);
		pause_ms(30);
		send(c, "hello", 5, 0);
		close(c);
		return 0;
	}
	int a = take(l);
	close(l);
	make_nonblocking(a);
	char buf[512];
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
