// SPDX-License-Identifier: Apache-2.0
// The two ends of SCTP associations (RFC 9260) on raw sockets, for kernels without SCTP. Each packet's checksum is verified.
//   association serve PORT                        answers data with the address and port that it saw
//   association ask ADDRESS PORT OWN_PORT BYTES   one association: "allowed saw ADDRESS PORT, BYTES bytes", "rejected: …", "dropped"
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define SCTP 132
#define PATIENCE 1500 /* ms */

enum chunk { DATA = 0, INIT = 1, INIT_ACK = 2, ABORT = 6, COOKIE_ECHO = 10, COOKIE_ACK = 11 };

struct packet {
	uint16_t source, destination;
	uint32_t tag, checksum;
	uint8_t chunk, flags;
	uint16_t chunk_length;
	unsigned char content[65536];
} __attribute__((packed));

#define HEADERS 16
static struct packet in, out;

static uint32_t crc32c(const void *packet, size_t length)
{
	const unsigned char *bytes = packet;
	uint32_t value = 0xffffffff;

	for (size_t i = 0; i < length; i++) {
		value ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			value = value & 1 ? (value >> 1) ^ 0x82f63b78 : value >> 1;
	}
	return ~value;
}

static int transmit(int sock, const struct sockaddr *to, socklen_t size, uint16_t from, uint16_t port, uint32_t tag,
		    enum chunk chunk, size_t length)
{
	out.source = htons(from);
	out.destination = htons(port);
	out.tag = tag;
	out.checksum = 0;
	out.chunk = chunk;
	out.flags = 0;
	out.chunk_length = htons(4 + length);
	out.checksum = crc32c(&out, HEADERS + length);
	return sendto(sock, &out, HEADERS + length, 0, to, size) < 0 ? -1 : 0;
}

/* The tag that an INIT or INIT ACK asks for, and what follows it. */
static size_t asks(uint32_t tag)
{
	static const uint32_t rest[] = {0x00000100, 0x01000100, 0x01000000};

	memcpy(out.content, &tag, sizeof(tag));
	memcpy(out.content + 4, rest, sizeof(rest));
	return 16;
}

/* @return bytes of the content of a packet for `port`; -1: none in time, or errno */
static ssize_t receive(int sock, int family, uint16_t port, struct sockaddr_storage *from, socklen_t *size)
{
	static unsigned char bytes[sizeof(in) + 60];

	for (;;) {
		struct pollfd wanted = {.fd = sock, .events = POLLIN};
		size_t header;
		uint32_t checksum;
		ssize_t length;

		errno = 0;
		if (poll(&wanted, 1, from ? -1 : PATIENCE) < 1)
			return -1;
		length = recvfrom(sock, bytes, sizeof(bytes), 0, (struct sockaddr *)from, size);
		if (length < 0)
			return -1;
		header = family == AF_INET ? (bytes[0] & 0xf) * 4 : 0; /* of raw sockets only those of IPv4 show it */
		length -= header;
		if (length < HEADERS)
			continue;
		memcpy(&in, bytes + header, length);
		checksum = in.checksum;
		in.checksum = 0;
		if (ntohs(in.destination) != port)
			continue;
		if (crc32c(&in, length) != checksum) {
			fprintf(stderr, "wrong checksum\n");
			continue;
		}
		return length - HEADERS;
	}
}

static void answer(int sock, const struct sockaddr_storage *from, socklen_t size, uint16_t port, ssize_t length)
{
	const struct sockaddr *to = (const struct sockaddr *)from;
	uint16_t client = ntohs(in.source);
	static uint32_t client_tag; /* tests ask one after another */
	char host[64];

	switch (in.chunk) {
	case INIT:
		memcpy(&client_tag, in.content, sizeof(client_tag));
		transmit(sock, to, size, port, client, client_tag, INIT_ACK, asks(htonl(0x5e5e5e5e)));
		break;
	case COOKIE_ECHO:
		transmit(sock, to, size, port, client, client_tag, COOKIE_ACK, 0);
		break;
	case DATA:
		inet_ntop(to->sa_family, to->sa_family == AF_INET ? (void *)&((struct sockaddr_in *)to)->sin_addr
								  : (void *)&((struct sockaddr_in6 *)to)->sin6_addr,
			  host, sizeof(host));
		transmit(sock, to, size, port, client, client_tag, DATA,
			 snprintf((char *)out.content, 128, "%s %u, %zd bytes", host, client, length));
	}
}

static int serve(int family, uint16_t port)
{
	int sock = socket(family, SOCK_RAW, SCTP);

	for (;;) {
		struct sockaddr_storage from;
		socklen_t size = sizeof(from);
		ssize_t length = receive(sock, family, port, &from, &size);

		if (length < 0)
			return 1;
		if (family == AF_INET6)
			((struct sockaddr_in6 *)&from)->sin6_port = 0; /* a raw socket has its protocol there */
		answer(sock, &from, size, port, length);
	}
}

/* @return bytes of what came, which is of this kind; -1 */
static ssize_t exchange(int sock, int family, uint16_t port, uint16_t own, uint32_t tag, enum chunk chunk, size_t length,
			enum chunk wanted)
{
	ssize_t came;

	if (transmit(sock, NULL, 0, own, port, tag, chunk, length))
		return -1;
	do
		came = receive(sock, family, own, NULL, NULL);
	while (came >= 0 && ntohs(in.source) != port);
	if (came >= 0 && in.chunk == ABORT)
		errno = ECONNABORTED;
	return came >= 0 && in.chunk == wanted ? came : -1;
}

static int ask(const char *host, const char *port, uint16_t own, size_t bytes)
{
	int family = strchr(host, ':') ? AF_INET6 : AF_INET;
	struct sockaddr_in ipv4 = {.sin_family = AF_INET};
	struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6};
	uint32_t tag, own_tag = htonl(0x0c0c0000 | own);
	uint16_t other = atoi(port);
	ssize_t length;
	int sock;

	if (inet_pton(family, host, family == AF_INET ? (void *)&ipv4.sin_addr : (void *)&ipv6.sin6_addr) != 1)
		return 2;
	sock = socket(family, SOCK_RAW, SCTP);
	if (family == AF_INET ? connect(sock, (struct sockaddr *)&ipv4, sizeof(ipv4))
			      : connect(sock, (struct sockaddr *)&ipv6, sizeof(ipv6)))
		return 2;
	errno = 0;
	if (exchange(sock, family, other, own, 0, INIT, asks(own_tag), INIT_ACK) >= 0) {
		memcpy(&tag, in.content, sizeof(tag));
		if (exchange(sock, family, other, own, tag, COOKIE_ECHO, 0, COOKIE_ACK) >= 0) {
			memset(out.content, 'x', bytes);
			length = exchange(sock, family, other, own, tag, DATA, bytes, DATA);
			if (length >= 0)
				return printf("allowed saw %.*s\n", (int)length, in.content) < 0;
		}
	}
	if (errno)
		return printf("rejected: %s\n", strerror(errno)) < 0;
	return printf("dropped\n") < 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "serve")) {
		if (fork())
			return serve(AF_INET, atoi(argv[2]));
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a second server would answer twice */
		return serve(AF_INET6, atoi(argv[2]));
	}
	if (argc == 6 && !strcmp(argv[1], "ask"))
		return ask(argv[2], argv[3], atoi(argv[4]), atoi(argv[5]));
	fprintf(stderr, "usage: association serve PORT | ask ADDRESS PORT OWN_PORT BYTES\n");
	return 2;
}
