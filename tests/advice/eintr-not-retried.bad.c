/* A child ends, accept gives EINTR, and the server takes that for a failure. */
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
	if ((a = accept(l, NULL, NULL)) < 0) {
		perror("accept");
		return 1;
	}
	drain(a);
	close(l);
	return 0;
}
