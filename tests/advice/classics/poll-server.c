/*
 * The chat server of the tutorials, over poll: what one client says is sent to all the others, each by a send that may wait.
 * One of them does not read for a while.
 */
#include "../peer.h"

#define CLIENTS 3

static void idle(struct sockaddr_in at)
{
	int c = dial(at);
	pause_ms(1000);
	drain(c);
}

static void talk(struct sockaddr_in at)
{
	static char text[65536];
	int c = dial(at);
	for (int i = 0; i < 200; i++)
		if (send(c, text, sizeof text, MSG_NOSIGNAL) < 0)
			break;
	shutdown(c, SHUT_WR);
	drain(c);
}

static void listen_only(struct sockaddr_in at)
{
	drain(dial(at));
}

int main(void)
{
	void (*client[CLIENTS])(struct sockaddr_in) = { idle, listen_only, talk };
	struct sockaddr_in at;
	struct pollfd rows[CLIENTS + 1];
	int l = listen_at(&at, 8), count = 1;
	for (int i = 0; i < CLIENTS; i++) {
		if (second() == 0) {
			close(l);
			client[i](at);
			return 0;
		}
		pause_ms(30);
	}
	rows[0] = (struct pollfd){ l, POLLIN, 0 };
	for (int left = CLIENTS; left > 0;) {
		poll(rows, count, -1);
		for (int i = 0, had = count; i < had; i++) {
			static char buf[65536];
			if (!(rows[i].revents & (POLLIN | POLLHUP)))
				continue;
			if (i == 0) {
				rows[count++] = (struct pollfd){ take(l), POLLIN, 0 };
				continue;
			}
			int n = recv(rows[i].fd, buf, sizeof buf, 0);
			for (int to = 1; n > 0 && to < had; to++)
				if (to != i && rows[to].fd >= 0)
					send(rows[to].fd, buf, n, 0);
			if (n > 0)
				continue;
			/* The one who talks has finished: so has everyone. */
			for (int all = 1; all < count; all++)
				close(rows[all].fd);
			left = 0;
			break;
		}
	}
	close(l);
	while (wait(NULL) > 0)
		;
	return 0;
}
