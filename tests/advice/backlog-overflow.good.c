/* A queue that holds all who come. */
#include "peer.h"

int main(void)
{
	struct sockaddr_in at;
	int l = listen_at(&at, 128);
	if (second() == 0) {
		close(l);
		int c[4];
		for (int i = 0; i < 4; i++)
			c[i] = dial(at);
		for (int i = 0; i < 4; i++)
			close(c[i]);
		return 0;
	}
	pause_ms(200); /* busy with something else */
	int a[4];
	for (int i = 0; i < 4; i++)
		a[i] = take(l);
	for (int i = 0; i < 4; i++)
		drain(a[i]);
	close(l);
	wait(NULL);
	return 0;
}
