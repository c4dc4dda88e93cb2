/* The client has left. The first error of send ends the connection. */
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
	for (int i = 0; i < 5; i++) {
		if (send(a, "hello", 5, MSG_NOSIGNAL) < 0)
			break;
		pause_ms(20);
	}
	close(a);
	wait(NULL);
	return 0;
}
