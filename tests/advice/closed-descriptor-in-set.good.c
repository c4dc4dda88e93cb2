/* A client is closed and leaves the set. */
#include "peer.h"

int main(void)
{
	struct sockaddr_in at;
	int l = listen_at(&at, 8);
	if (second() == 0) {
		close(l);
		close(dial(at));
		return 0;
	}
	int a = take(l);
	char buf[512];
	fd_set all;
	FD_ZERO(&all);
	FD_SET(l, &all);
	FD_SET(a, &all);
	for (int turn = 0; turn < 3; turn++) {
		fd_set set = all;
		struct timeval patience = { 0, 50000 };
		if (select(a + 1, &set, NULL, NULL, &patience) <= 0)
			continue;
		if (FD_ISSET(a, &set) && recv(a, buf, sizeof buf, 0) <= 0) {
			FD_CLR(a, &all);
			close(a);
		}
	}
	close(l);
	wait(NULL);
	return 0;
}
