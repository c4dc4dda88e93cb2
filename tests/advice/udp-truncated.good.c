/* The buffer is longer than any datagram of this protocol. */
#include "peer.h"

int main(void)
{
	struct sockaddr_in at = loopback(0);
	socklen_t len = sizeof at;
	int s = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	must(bind(s, (struct sockaddr *)&at, len), "bind");
	must(getsockname(s, (struct sockaddr *)&at, &len), "getsockname");
	int c = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	must(sendto(c, "a message of 24 bytes...", 24, 0, (struct sockaddr *)&at, len), "sendto");
	close(c);
	char buf[512];
	must(recv(s, buf, sizeof buf, 0), "recv");
	close(s);
	return 0;
}
