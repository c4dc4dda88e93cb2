/* htonl for the address, htons for the port (0: any that is free). */
#include "peer.h"

int main(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int s = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
	at.sin_port = htons(0);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(s, (struct sockaddr *)&at, sizeof at) < 0)
		perror("bind");
	close(s);
	return 0;
}
