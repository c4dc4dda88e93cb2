/* The listener has no SOCK_CLOEXEC: the program that is started keeps it open. */
#include "peer.h"

int main(void)
{
	struct sockaddr_in at = loopback(0);
	int l = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
	must(bind(l, (struct sockaddr *)&at, sizeof at), "bind");
	must(listen(l, 8), "listen");
	if (second() == 0) {
		execl("/bin/true", "true", NULL);
		return 1;
	}
	wait(NULL);
	close(l);
	return 0;
}
