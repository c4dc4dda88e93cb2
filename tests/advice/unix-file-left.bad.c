/* close leaves the file of a Unix domain socket. */
#include "peer.h"

int main(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = "advice.socket" };
	unlink(at.sun_path);
	int l = must(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
	must(bind(l, (struct sockaddr *)&at, sizeof at), "bind");
	must(listen(l, 8), "listen");
	close(l);
	return 0;
}
