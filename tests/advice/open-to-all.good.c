/* It listens on loopback, for a client of this machine. */
#include "peer.h"

int main(void)
{
	struct sockaddr_in at = loopback(0);
	socklen_t len = sizeof at;
	int l = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
	must(bind(l, (struct sockaddr *)&at, len), "bind");
	must(listen(l, 8), "listen");
	must(getsockname(l, (struct sockaddr *)&at, &len), "getsockname");
	if (second() == 0) {
		close(l);
		at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		close(dial(at));
		return 0;
	}
	struct sockaddr_in peer;
	drain(must(accept(l, (struct sockaddr *)&peer, &len), "accept"));
	wait(NULL);
	close(l);
	return 0;
}
