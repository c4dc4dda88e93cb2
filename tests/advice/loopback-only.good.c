/* It listens on every interface. */
#include "peer.h"

int main(void)
{
	struct sockaddr_in at = loopback(0);
	socklen_t len = sizeof at;
	int l = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
	at.sin_addr.s_addr = htonl(INADDR_ANY);
	must(bind(l, (struct sockaddr *)&at, len), "bind");
	must(listen(l, 8), "listen");
	if (readable(l, 1100))
		close(take(l));
	close(l);
	return 0;
}
