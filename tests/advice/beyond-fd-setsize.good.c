/* Descriptor 1500 is for poll, which has no such bound. */
#include "peer.h"

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
	readable(high, 50);
	close(high);
	return 0;
}
