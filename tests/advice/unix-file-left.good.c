/* The file of a Unix domain socket is removed with unlink. */
#include "peer.h"

int main(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = "advice.socket" };
	unlink(at.sun_path);
	int l = must(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
	must(bind(l, (struct sockaddr *)&at, sizeof at), "bind");
	must(listen(l, 8), "listen");
	close(l);
	unlink(at.sun_path);
	return 0;
}
