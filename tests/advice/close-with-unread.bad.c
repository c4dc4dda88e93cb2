/* The server answers and closes without having read the request: the client gets a reset. */
#include "peer.h"

int main(void)
{
	struct sockaddr_in at;
	int l = listen_at(&at, 8);
	if (second() == 0) {
		close(l);
		int c = dial(at);
		send(c, "GET / HTTP/1.0\r\n\r\n", 18, 0);
		shutdown(c, SHUT_WR);
		pause_ms(50);
		drain(c);
		return 0;
	}
	int a = take(l);
	close(l);
	readable(a, -1);
	send(a, "busy\n", 5, MSG_NOSIGNAL);
	close(a);
	wait(NULL);
	return 0;
}
