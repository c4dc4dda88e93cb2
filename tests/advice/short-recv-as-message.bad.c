/* A length of four bytes, then so many bytes: one recv for each. The second length comes in two pieces. */
#include "peer.h"

static void speak(int c)
{
	send(c, "\0\0\0\5hello", 9, 0);
	pause_ms(50);
	send(c, "\0\0", 2, 0);
	pause_ms(50);
	send(c, "\0\5world", 7, 0);
	close(c);
}

int main(void)
{
	struct sockaddr_in at;
	int l = listen_at(&at, 8);
	if (second() == 0) {
		close(l);
		speak(dial(at));
		return 0;
	}
	int a = take(l);
	close(l);
	char body[64];
	uint32_t length = 0;
	while (recv(a, &length, sizeof length, 0) > 0) {
		size_t want = ntohl(length) < sizeof body ? ntohl(length) : sizeof body;
		if (recv(a, body, want, 0) <= 0)
			break;
	}
	close(a);
	wait(NULL);
	return 0;
}
