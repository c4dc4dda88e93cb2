/* Two processes wait for one listener, which is non-blocking: the one that finds no client waits again. */
#include "peer.h"

static void serve_one(int l)
{
	while (readable(l, 1000)) {
		pause_ms(20); /* both processes have been told */
		int a = accept(l, NULL, NULL);
		if (a >= 0) {
			drain(a);
			return;
		}
	}
}

int main(void)
{
	struct sockaddr_in at;
	int l = listen_at(&at, 8);
	make_nonblocking(l);
	for (int i = 0; i < 2; i++) {
		if (second() == 0) {
			serve_one(l);
			close(l);
			return 0;
		}
	}
	close(l);
	for (int i = 0; i < 2; i++) {
		pause_ms(100);
		close(dial(at));
		pause_ms(200);
	}
	while (wait(NULL) > 0)
		;
	return 0;
}
