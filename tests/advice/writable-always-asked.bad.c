/* The loop asks for POLLOUT although it has nothing to send: poll returns at once. */
#include "peer.h"

int main(void)
{
	struct sockaddr_in at;
	int l = listen_at(&at, 8);
	if (second() == 0) {
		close(l);
		int c = dial(at);
		pause_ms(50);
		close(c);
		return 0;
	}
	int a = take(l);
	close(l);
	char buf[512];
	for (;;) {
		struct pollfd row = { a, POLLIN | POLLOUT, 0 };
		poll(&row, 1, -1);
		if ((row.revents & POLLIN) && recv(a, buf, sizeof buf, 0) <= 0)
			break;
	}
	close(a);
	wait(NULL);
	return 0;
}
