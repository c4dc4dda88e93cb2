/* poll says that a client can be read from; the server reads until the line is whole, and the other client waits. */
#include "peer.h"

/* Says "slow" in two pieces, or "fast" at once. */
static void speak(struct sockaddr_in at, int slow)
{
	int c = dial(at);
	send(c, slow ? "sl" : "fast\n", slow ? 2 : 5, 0);
	pause_ms(400);
	if (slow)
		send(c, "ow\n", 3, 0);
	close(c);
}

int main(void)
{
	struct sockaddr_in at;
	int l = listen_at(&at, 8);
	for (int slow = 1; slow >= 0; slow--) {
		if (second() == 0) {
			close(l);
			speak(at, slow);
			return 0;
		}
		pause_ms(50);
	}
	struct pollfd rows[2] = { { take(l), POLLIN, 0 }, { take(l), POLLIN, 0 } };
	close(l);
	while (rows[0].fd >= 0 || rows[1].fd >= 0) {
		poll(rows, 2, -1);
		for (int i = 0; i < 2; i++) {
			char buf[64];
			ssize_t n = 0;
			if (rows[i].fd < 0 || rows[i].revents == 0)
				continue;
			do
				n = recv(rows[i].fd, buf, sizeof buf, 0);
			while (n > 0 && buf[n - 1] != '\n');
			if (n <= 0) {
				close(rows[i].fd);
				rows[i].fd = -1;
			}
		}
	}
	while (wait(NULL) > 0)
		;
	return 0;
}
