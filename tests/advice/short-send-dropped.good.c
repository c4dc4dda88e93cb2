/* A non-blocking send of 8 MB takes what fits; the rest goes when there is room. */
#include "peer.h"

static char big[8 << 20];

int main(void)
{
	struct sockaddr_in at;
	int l = listen_at(&at, 8);
	if (second() == 0) {
		close(l);
		int c = dial(at);
		pause_ms(100);
		drain(c);
		return 0;
	}
	int a = take(l);
	close(l);
	make_nonblocking(a);
	for (size_t sent = 0; sent < sizeof big;) {
		ssize_t n = send(a, big + sent, sizeof big - sent, MSG_NOSIGNAL);
		if (n > 0) {
			sent += n;
		} else {
			struct pollfd row = { a, POLLOUT, 0 };
			poll(&row, 1, -1);
		}
	}
	close(a);
	wait(NULL);
	return 0;
}
