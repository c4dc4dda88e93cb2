/* A length of four bytes, then so many bytes, each read until it is whole. */
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

static int recv_all(int a, void *to, size_t len)
{
	for (size_t got = 0; got < len;) {
		ssize_t n = recv(a, (char *)to + got, len - got, 0);
		if (n <= 0)
			return 0;
		got += n;
	}
	return 1;
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
	uint32_t length;
	while (recv_all(a, &length, sizeof length)) {
		size_t want = ntohl(length) < sizeof body ? ntohl(length) : sizeof body;
		if (!recv_all(a, body, want))
			break;
	}
	close(a);
	wait(NULL);
	return 0;
}
