/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `hop ADDRESS PORT HOPS BYTES` sends a datagram of BYTES that no router may cut, with this TTL or hop limit, and prints what a router or
 * the receiver says within 3 s: "expired at 172.31.1.8", "at most 1450 bytes, says 172.31.1.8", "refused by 172.31.1.8", "answered", "silence".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static unsigned char bytes[65536];

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void set(int s, int level, int name, int value)
{
	if (setsockopt(s, level, name, &value, sizeof(value)))
		fail("setsockopt");
}

static void print_error(const struct sock_extended_err *error)
{
	const struct sockaddr *from = SO_EE_OFFENDER(error);
	char name[INET6_ADDRSTRLEN] = "";
	int v6 = error->ee_origin == SO_EE_ORIGIN_ICMP6;

	inet_ntop(from->sa_family,
		  v6 ? (const void *)&((const struct sockaddr_in6 *)from)->sin6_addr : &((const struct sockaddr_in *)from)->sin_addr,
		  name, sizeof(name));
	if (error->ee_type == (v6 ? ICMPV6_TIME_EXCEED : ICMP_TIME_EXCEEDED))
		printf("expired at %s\n", name);
	else if (error->ee_errno == EMSGSIZE)
		printf("at most %u bytes, says %s\n", error->ee_info, name);
	else
		printf("refused by %s\n", name);
}

static void read_error(int s)
{
	char control[512];
	struct iovec part = {bytes, sizeof(bytes)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *one;

	if (recvmsg(s, &message, MSG_ERRQUEUE) < 0)
		fail("recvmsg");
	for (one = CMSG_FIRSTHDR(&message); one; one = CMSG_NXTHDR(&message, one))
		if ((one->cmsg_level == SOL_IP && one->cmsg_type == IP_RECVERR) ||
		    (one->cmsg_level == SOL_IPV6 && one->cmsg_type == IPV6_RECVERR))
			print_error((const struct sock_extended_err *)CMSG_DATA(one));
}

static int connected(const char *address, int port, int hops)
{
	struct sockaddr_in6 to6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	int v6 = inet_pton(AF_INET6, address, &to6.sin6_addr) == 1, s;

	if (!v6 && inet_pton(AF_INET, address, &to.sin_addr) != 1)
		fail("inet_pton");
	s = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
	if (s < 0 || connect(s, v6 ? (struct sockaddr *)&to6 : (struct sockaddr *)&to, v6 ? sizeof(to6) : sizeof(to)))
		fail("connect");
	set(s, v6 ? SOL_IPV6 : SOL_IP, v6 ? IPV6_RECVERR : IP_RECVERR, 1);
	set(s, v6 ? SOL_IPV6 : SOL_IP, v6 ? IPV6_UNICAST_HOPS : IP_TTL, hops);
	set(s, v6 ? SOL_IPV6 : SOL_IP, v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, v6 ? IPV6_PMTUDISC_PROBE : IP_PMTUDISC_PROBE);
	return s;
}

int main(int argc, char **argv)
{
	struct pollfd wait = {.events = POLLIN};
	int s;

	if (argc != 5)
		return 2;
	wait.fd = s = connected(argv[1], atoi(argv[2]), atoi(argv[3]));
	if (send(s, bytes, atoi(argv[4]), 0) < 0)
		fail("send");
	if (poll(&wait, 1, 3000) <= 0)
		puts("silence");
	else if (wait.revents & POLLERR)
		read_error(s);
	else
		puts("answered");
	return 0;
}
