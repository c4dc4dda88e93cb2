/* Nobody is at that port, and a socket that is not connected is not told so. */
#include "peer.h"

int main(void)
{
	struct sockaddr_in at = loopback(0);
	socklen_t len = sizeof at;
	int s = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	must(bind(s, (struct sockaddr *)&at, len), "bind");
	must(getsockname(s, (struct sockaddr *)&at, &len), "getsockname");
	close(s); /* now nobody is there */
	int c = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	char buf[512];
	must(sendto(c, "hello", 5, 0, (struct sockaddr *)&at, len), "sendto");
	if (readable(c, 200))
		recv(c, buf, sizeof buf, 0);
	close(c);
	return 0;
}
