/* A non-blocking send of 8 MB takes what fits. The rest is forgotten. */
#include "peer.h"

static char big[8 << 20];

int main(void)
{
	struct sockaddr_in at;
	int l = listen_at(&at, 8);
	if (second() == 0) {
		close(l);
		int c = dial(at);
		pause_ms(100);
		drain(c);
		return 0;
	}
	int a = take(l);
	close(l);
	make_nonblocking(a);
	must(send(a, big, sizeof big, MSG_NOSIGNAL), "send");
	close(a);
	wait(NULL);
	return 0;
}
