/* poll says that the client can be read from; the server looks at its listener only. (For thirty turns.) */
#include "peer.h"

int main(void)
{
	struct sockaddr_in at;
	int l = listen_at(&at, 8);
	if (second() == 0) {
		close(l);
		int c = dial(at);
		send(c, "hello", 5, 0);
		shutdown(c, SHUT_WR);
		drain(c);
		return 0;
	}
	int a = take(l);
	struct pollfd rows[2] = { { l, POLLIN, 0 }, { a, POLLIN, 0 } };
	for (int turn = 0; turn < 30; turn++) {
		poll(rows, 2, 1000);
		if (rows[0].revents & POLLIN)
			close(take(l));
	}
	drain(a);
	close(l);
	wait(NULL);
	return 0;
}
