/* A child ends, accept gives EINTR, and the server calls it again. */
#include "peer.h"

static void reap(int signal)
{
	(void)signal;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

int main(void)
{
	struct sockaddr_in at;
	struct sigaction action = { .sa_handler = reap };
	int l = listen_at(&at, 8);
	sigaction(SIGCHLD, &action, NULL);
	if (second() == 0) {
		pause_ms(50);
		return 0; /* SIGCHLD interrupts the accept */
	}
	if (second() == 0) {
		close(l);
		pause_ms(150);
		close(dial(at));
		return 0;
	}
	int a;
	while ((a = accept(l, NULL, NULL)) < 0 && errno == EINTR)
		;
	drain(a);
	close(l);
	return 0;
}
