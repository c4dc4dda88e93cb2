/* One client resets its connection, and the server closes that connection. */
#include "peer.h"

int main(void)
{
	struct sockaddr_in at;
	int l = listen_at(&at, 8);
	if (second() == 0) {
		close(l);
		int other = dial(at), c = dial(at);
		struct linger hard = { 1, 0 };
		setsockopt(c, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
		pause_ms(50);
		close(c); /* a reset */
		pause_ms(50);
		send(other, "hello", 5, MSG_NOSIGNAL);
		shutdown(other, SHUT_WR);
		drain(other);
		return 0;
	}
	struct pollfd rows[2] = { { take(l), POLLIN, 0 }, { take(l), POLLIN, 0 } };
	char buf[512];
	while (rows[0].fd >= 0 || rows[1].fd >= 0) {
		poll(rows, 2, -1);
		for (int i = 0; i < 2; i++) {
			if (rows[i].fd < 0 || rows[i].revents == 0)
				continue;
			ssize_t n = recv(rows[i].fd, buf, sizeof buf, 0);
			if (n <= 0) {
				close(rows[i].fd);
				rows[i].fd = -1;
			}
		}
	}
	close(l);
	wait(NULL);
	return 0;
}
