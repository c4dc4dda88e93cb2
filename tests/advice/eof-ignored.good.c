/* An echo loop that ends when recv gives 0. */
#include "peer.h"

int main(void)
{
	struct sockaddr_in at;
	int l = listen_at(&at, 8);
	if (second() == 0) {
		close(l);
		int c = dial(at);
		send(c, "hello", 5, 0);
		shutdown(c, SHUT_WR);
		drain(c);
		return 0;
	}
	int a = take(l);
	close(l);
	char buf[512];
	for (;;) {
		readable(a, -1);
		ssize_t n = recv(a, buf, sizeof buf, 0);
		if (n <= 0)
			break;
		send(a, buf, n, MSG_NOSIGNAL);
	}
	close(a);
	wait(NULL);
	return 0;
}
