/* The child serves the client and closes it; the parent keeps its copy, so that the client never sees the end. */
#include "peer.h"

static void serve(int a)
{
	char buf[512];
	ssize_t n;
	while ((n = recv(a, buf, sizeof buf, 0)) > 0)
		send(a, buf, n, MSG_NOSIGNAL);
	close(a);
}

int main(void)
{
	struct sockaddr_in at;
	int l = listen_at(&at, 8);
	if (second() == 0) {
		close(l);
		int c = dial(at);
		char buf[16];
		send(c, "hello", 5, 0);
		recv(c, buf, sizeof buf, 0);
		shutdown(c, SHUT_WR);
		if (readable(c, 300))
			recv(c, buf, sizeof buf, 0);
		close(c);
		return 0;
	}
	int a = take(l);
	int child = second();
	if (child == 0) {
		close(l);
		serve(a);
		return 0;
	}
	waitpid(child, NULL, 0);
	if (readable(l, 500))
		close(take(l));
	close(l);
	wait(NULL);
	return 0;
}
