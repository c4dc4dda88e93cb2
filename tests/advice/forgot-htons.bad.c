/* The port and the address are in the order of the machine: 36895 and 1.0.0.127 is what the system reads. */
#include "peer.h"

int main(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int s = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
	at.sin_port = 8080;
	at.sin_addr.s_addr = INADDR_LOOPBACK;
	if (bind(s, (struct sockaddr *)&at, sizeof at) < 0)
		perror("bind");
	close(s);
	return 0;
}
