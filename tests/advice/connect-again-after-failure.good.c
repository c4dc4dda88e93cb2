/* Each attempt has a socket of its own. */
#include "peer.h"

int main(void)
{
	struct sockaddr_in at;
	close(listen_at(&at, 8)); /* now nobody listens there */
	int c;
	for (int attempt = 0; attempt < 3; attempt++) {
		c = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
		if (connect(c, (struct sockaddr *)&at, sizeof at) == 0)
			break;
		close(c);
		pause_ms(10);
	}
	return 0;
}
