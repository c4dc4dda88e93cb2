/* Descriptor 1500 in a set that has 1024 bits: here there is room behind it, by luck. */
#include "peer.h"

static struct { fd_set set; char luck[256]; } fds;

int main(void)
{
	struct sockaddr_in at;
	struct rlimit limit;
	int l = listen_at(&at, 8), high = 1500;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = 2048;
	must(setrlimit(RLIMIT_NOFILE, &limit), "RLIMIT_NOFILE");
	must(dup2(l, high), "dup2");
	close(l);
	((unsigned char *)&fds)[high / 8] |= 1 << high % 8; /* FD_SET without the check of glibc */
	struct timeval patience = { 0, 50000 };
	select(high + 1, &fds.set, NULL, NULL, &patience);
	close(high);
	return 0;
}
