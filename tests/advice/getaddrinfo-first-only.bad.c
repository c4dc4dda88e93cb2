/* The first address that getaddrinfo gives is tried, and no other. */
#include "peer.h"

int main(void)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
	struct sockaddr_in at;
	int l = listen_at(&at, 8); /* on 127.0.0.1 only */
	char port[8];
	snprintf(port, sizeof port, "%d", ntohs(at.sin_port));
	/* Without a name: ::1 and 127.0.0.1. */
	if (getaddrinfo(NULL, port, &hints, &found) != 0)
		return 1;
	int c = -1;
	for (struct addrinfo *it = found; it != NULL; it = it->ai_next) {
		c = must(socket(it->ai_family, it->ai_socktype, 0), "socket");
		if (connect(c, it->ai_addr, it->ai_addrlen) == 0)
			break;
		perror("connect");
		close(c);
		c = -1;
		break;
	}
	if (c >= 0)
		close(c);
	close(l);
	freeaddrinfo(found);
	return 0;
}
