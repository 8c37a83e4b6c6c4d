/* SPDX-License-Identifier: Apache-2.0 */
/* `echo ADDRESS` sends one ICMP echo request and succeeds if that address answers it within 3 s. */
#include <arpa/inet.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>

int main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET}, from;
	struct icmphdr asked = {.type = ICMP_ECHO, .un.echo = {.id = htons(7), .sequence = htons(1)}}, *answer;
	struct timeval patience = {.tv_sec = 3};
	socklen_t length = sizeof(from);
	unsigned char bytes[1500];
	int s = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);

	if (argc != 2 || s < 0 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
		return 2;
	asked.checksum = ~(asked.type + asked.un.echo.id + asked.un.echo.sequence);
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (sendto(s, &asked, sizeof(asked), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		return 3;
	while (recvfrom(s, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &length) > 0) {
		answer = (struct icmphdr *)(bytes + (bytes[0] & 0xf) * 4);
		if (answer->type == ICMP_ECHOREPLY && answer->un.echo.id == asked.un.echo.id &&
		    from.sin_addr.s_addr == to.sin_addr.s_addr)
			return 0;
	}
	return 1;
}
