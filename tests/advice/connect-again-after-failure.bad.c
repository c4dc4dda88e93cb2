/* A socket whose connect has failed is used again. */
#include "peer.h"

int main(void)
{
	struct sockaddr_in at;
	close(listen_at(&at, 8)); /* now nobody listens there */
	int c = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
	for (int attempt = 0; attempt < 3; attempt++) {
		if (connect(c, (struct sockaddr *)&at, sizeof at) == 0)
			break;
		pause_ms(10);
	}
	close(c);
	return 0;
}
