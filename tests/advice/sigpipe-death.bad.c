/* The client has left. The second send raises SIGPIPE, which ends the server. */
#include "peer.h"

int main(void)
{
	struct sockaddr_in at;
	int l = listen_at(&at, 8);
	if (second() == 0) {
		close(l);
		close(dial(at));
		return 0;
	}
	int a = take(l);
	close(l);
	pause_ms(50);
	for (int i = 0; i < 3; i++) {
		send(a, "hello", 5, 0);
		pause_ms(20);
	}
	close(a);
	wait(NULL);
	return 0;
}
