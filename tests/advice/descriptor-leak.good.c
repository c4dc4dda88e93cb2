/* Each client that has finished is closed. */
#include "peer.h"

int main(void)
{
	struct sockaddr_in at;
	int l = listen_at(&at, 8);
	if (second() == 0) {
		close(l);
		for (int i = 0; i < 6; i++) {
			int c = dial(at);
			send(c, "hello", 5, 0);
			shutdown(c, SHUT_WR);
			char buf[16];
			recv(c, buf, sizeof buf, 0);
			close(c);
		}
		return 0;
	}
	char buf[512];
	for (int i = 0; i < 6; i++) {
		int a = take(l);
		ssize_t n;
		while ((n = recv(a, buf, sizeof buf, 0)) > 0)
			send(a, buf, n, MSG_NOSIGNAL);
		close(a);
	}
	close(l);
	wait(NULL);
	return 0;
}
