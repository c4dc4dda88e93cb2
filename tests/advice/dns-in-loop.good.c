/* The loop shows addresses as numbers, which asks no server. */
#include "peer.h"

/* The name of a client, which the resolver may ask a server for; here its files have it. */
static void name_of(struct sockaddr_in of)
{
	char name[256];
	getnameinfo((struct sockaddr *)&of, sizeof of, name, sizeof name, NULL, 0, NI_NUMERICHOST);
}

int main(void)
{
	struct sockaddr_in at;
	int l = listen_at(&at, 8);
	if (second() == 0) {
		close(l);
		int c[2] = { dial(at), dial(at) };
		for (int i = 0; i < 2; i++) {
			send(c[i], "hello", 5, 0);
			shutdown(c[i], SHUT_WR);
			drain(c[i]);
		}
		return 0;
	}
	struct pollfd rows[3] = { { l, POLLIN, 0 }, { -1, POLLIN, 0 }, { -1, POLLIN, 0 } };
	for (int clients = 0, left = 2; left > 0;) {
		char buf[512];
		poll(rows, 3, -1);
		if (rows[0].revents & POLLIN) {
			struct sockaddr_in peer;
			socklen_t len = sizeof peer;
			rows[++clients].fd = accept(l, (struct sockaddr *)&peer, &len);
			name_of(peer);
		}
		for (int i = 1; i <= clients; i++) {
			if (rows[i].fd >= 0 && rows[i].revents && recv(rows[i].fd, buf, sizeof buf, 0) <= 0) {
				close(rows[i].fd);
				rows[i].fd = -1;
				left--;
			}
		}
	}
	close(l);
	wait(NULL);
	return 0;
}
