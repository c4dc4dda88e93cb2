/* The connection is under way, poll says writable, and the client takes that for a success. */
#include "peer.h"

int main(void)
{
	struct sockaddr_in at;
	close(listen_at(&at, 8)); /* now nobody listens there */
	int c = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
	make_nonblocking(c);
	if (connect(c, (struct sockaddr *)&at, sizeof at) < 0 && errno != EINPROGRESS)
		must(-1, "connect");
	struct pollfd row = { c, POLLOUT, 0 };
	poll(&row, 1, 1000);
	send(c, "hello", 5, MSG_NOSIGNAL);
	close(c);
	return 0;
}
