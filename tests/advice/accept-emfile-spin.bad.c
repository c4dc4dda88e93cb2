/* There is no descriptor for the second client. The listener stays readable, and accept fails again and again. */
#include "peer.h"

int main(void)
{
	struct sockaddr_in at;
	int l = listen_at(&at, 8);
	if (second() == 0) {
		close(l);
		int c[2] = { dial(at), dial(at) };
		drain(c[0]);
		drain(c[1]);
		return 0;
	}
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = l + 2; /* room for one client */
	must(setrlimit(RLIMIT_NOFILE, &limit), "RLIMIT_NOFILE");
	make_nonblocking(l);
	int a = -1;
	for (int turn = 0; turn < 30; turn++) {
		struct pollfd row = { l, POLLIN, 0 };
		poll(&row, 1, 200);
		int fd = accept(l, NULL, NULL);
		if (fd >= 0)
			a = fd;
	}
	close(a);
	close(l);
	wait(NULL);
	return 0;
}
