/*
 * The echo server of the textbooks, over select: an array of clients, all blocking, and every error the end of the program.
 * One client resets its connection while another is there.
 */
#include "../peer.h"

static void clients(struct sockaddr_in at)
{
	struct linger hard = { 1, 0 };
	int calm = dial(at), hasty = dial(at);
	char buf[64];
	send(calm, "hello", 5, MSG_NOSIGNAL);
	recv(calm, buf, sizeof buf, 0);
	send(hasty, "hello", 5, MSG_NOSIGNAL);
	recv(hasty, buf, sizeof buf, 0);
	setsockopt(hasty, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	close(hasty);
	drain(calm);
}

int main(void)
{
	struct sockaddr_in at;
	int l = listen_at(&at, 8), client[16], highest = l;
	if (second() == 0) {
		close(l);
		clients(at);
		return 0;
	}
	for (int i = 0; i < 16; i++)
		client[i] = -1;
	fd_set all;
	FD_ZERO(&all);
	FD_SET(l, &all);
	for (;;) {
		fd_set ready = all;
		must(select(highest + 1, &ready, NULL, NULL, NULL), "select");
		if (FD_ISSET(l, &ready)) {
			int i = 0, a = take(l);
			while (client[i] >= 0)
				i++;
			client[i] = a;
			FD_SET(a, &all);
			if (a > highest)
				highest = a;
		}
		for (int i = 0; i < 16; i++) {
			char buf[512];
			if (client[i] < 0 || !FD_ISSET(client[i], &ready))
				continue;
			int n = must(recv(client[i], buf, sizeof buf, 0), "recv");
			if (n == 0) {
				close(client[i]);
				FD_CLR(client[i], &all);
				client[i] = -1;
			} else {
				must(send(client[i], buf, n, 0), "send");
			}
		}
	}
}
