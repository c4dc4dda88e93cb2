/* The loop asks for POLLOUT only while something is to be sent. */
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
	size_t owed = 5;
	for (;;) {
		struct pollfd row = { a, POLLIN | (owed > 0 ? POLLOUT : 0), 0 };
		poll(&row, 1, -1);
		if (row.revents & POLLOUT)
			owed -= must(send(a, "hello", owed, MSG_NOSIGNAL), "send");
		if ((row.revents & POLLIN) && recv(a, buf, sizeof buf, 0) <= 0)
			break;
	}
	close(a);
	wait(NULL);
	return 0;
}
