/* write, write, read: the second piece waits until the first is acknowledged, which takes 40 ms. */
#include "peer.h"

static void answer(int a)
{
	char buf[16];
	for (;;) {
		for (int got = 0; got < 8;) {
			ssize_t n = recv(a, buf, sizeof buf, 0);
			if (n <= 0)
				return;
			got += n;
		}
		send(a, "ok", 2, MSG_NOSIGNAL);
	}
}

int main(void)
{
	struct sockaddr_in at;
	int l = listen_at(&at, 8);
	if (second() == 0) {
		int a = take(l);
		close(l);
		answer(a);
		close(a);
		return 0;
	}
	int c = dial(at);
	close(l);
	for (int i = 0; i < 8; i++) {
		char buf[16];
		send(c, "head", 4, 0);
		send(c, "body", 4, 0);
		recv(c, buf, sizeof buf, 0);
	}
	close(c);
	wait(NULL);
	return 0;
}
