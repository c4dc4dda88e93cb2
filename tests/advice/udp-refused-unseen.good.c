/* Nobody is at that port: the connected socket gets ECONNREFUSED. */
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
	must(connect(c, (struct sockaddr *)&at, len), "connect");
	must(send(c, "hello", 5, 0), "send");
	if (readable(c, 200))
		recv(c, buf, sizeof buf, 0);
	close(c);
	return 0;
}
