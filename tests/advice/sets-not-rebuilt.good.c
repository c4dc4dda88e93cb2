/* The set is filled before each select. */
#include "peer.h"

int main(void)
{
	struct sockaddr_in at;
	int l = listen_at(&at, 8);
	if (second() == 0) {
		close(l);
		int c = dial(at);
		for (int i = 0; i < 3; i++) {
			send(c, "hello", 5, 0);
			pause_ms(30);
		}
		close(c);
		return 0;
	}
	int a = take(l), rounds = 0;
	char buf[512];
	fd_set set;
	for (;;) {
		FD_ZERO(&set);
		FD_SET(l, &set);
		FD_SET(a, &set);
		struct timeval patience = { 2, 0 };
		if (select(a + 1, &set, NULL, NULL, &patience) <= 0 || rounds++ > 20)
			break;
		if (FD_ISSET(l, &set))
			close(take(l));
		if (FD_ISSET(a, &set) && recv(a, buf, sizeof buf, 0) <= 0)
			break;
	}
	close(a);
	close(l);
	wait(NULL);
	return 0;
}
