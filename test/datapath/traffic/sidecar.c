/* SPDX-License-Identifier: Apache-2.0 */
/* Behaves like a sidecar: `sidecar PORT` accepts redirected TCP connections and prints each one's original destination,
 * "10.96.0.10:80", from SO_ORIGINAL_DST. */
#include <arpa/inet.h>
#include <linux/netfilter_ipv4.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

int main(int count, char **words)
{
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(count > 1 ? atoi(words[1]) : 0)};
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int yes = 1;

	if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)))
		fail("setsockopt");
	if (bind(listener, (struct sockaddr *)&own, sizeof(own)) || listen(listener, 8))
		fail("listen");
	for (;;) {
		int client = accept(listener, NULL, NULL);
		struct sockaddr_in asked;
		socklen_t length = sizeof(asked);

		if (client < 0)
			fail("accept");
		if (getsockopt(client, SOL_IP, SO_ORIGINAL_DST, &asked, &length))
			fail("SO_ORIGINAL_DST");
		printf("%s:%d\n", inet_ntoa(asked.sin_addr), ntohs(asked.sin_port));
		fflush(stdout);
		close(client);
	}
}
