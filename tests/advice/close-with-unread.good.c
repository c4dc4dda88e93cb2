/* The server answers, finishes, and reads what the client has said before it closes. */
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
	shutdown(a, SHUT_WR);
	drain(a);
	wait(NULL);
	return 0;
}
