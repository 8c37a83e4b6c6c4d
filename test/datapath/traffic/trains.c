/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trains of datagrams, sent in one call with UDP_SEGMENT (udp(7)) and carried by the kernel as one packet as
 * long as it can, as QUIC does.
 *
 *   trains serve PORT                     in both families
 *   trains send ADDRESS PORT SIZE COUNT
 *
 * `send` sends one train of COUNT datagrams of SIZE bytes. The server answers each with a short datagram and, once it has all,
 * with its own train of the same shape (one by one where its interface has no room for SIZE). `send` prints how many
 * arrived and how many came back: "10 10". Datagrams of another size or content count as lost.
 */
#include <arpa/inet.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#define MOST_BYTES 65507
#define SHORT 16

static unsigned char train[MOST_BYTES], seen[2048];

struct label {
	unsigned int index, count, size, train; /* the train's number tells two senders apart that were given one port */
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void write_train(unsigned int size, unsigned int count, unsigned int number)
{
	for (unsigned int i = 0; i < count; i++) {
		struct label label = { i, count, size, number };

		memset(train + i * size, (int)(i + 1), size);
		memcpy(train + i * size, &label, sizeof(label));
	}
}

/* Whether `length` bytes of `seen` are the datagram that their label names. */
static bool is_whole(long length, struct label *label)
{
	if (length < SHORT)
		return false;
	memcpy(label, seen, sizeof(*label));
	if (length != label->size)
		return false;
	for (long i = sizeof(*label); i < length; i++)
		if (seen[i] != (unsigned char)(label->index + 1))
			return false;
	return true;
}

static socklen_t length_of(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

static void send_train(int s, struct label shape, const struct sockaddr_storage *to, bool must)
{
	unsigned int size = shape.size, count = shape.count;
	int segment = (int)size, none = 0;

	write_train(size, count, shape.train);
	if (setsockopt(s, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)))
		fail("UDP_SEGMENT");
	if (sendto(s, train, (size_t)size * count, 0, (const void *)to, length_of(to)) < 0) {
		if (must)
			fail("sendto");
		setsockopt(s, IPPROTO_UDP, UDP_SEGMENT, &none, sizeof(none));
		for (unsigned int i = 0; i < count; i++)
			sendto(s, train + i * size, size, 0, (const void *)to, length_of(to));
	}
	setsockopt(s, IPPROTO_UDP, UDP_SEGMENT, &none, sizeof(none));
}

static int serve(int s, const char *port)
{
	struct sockaddr_in6 own = { .sin6_family = AF_INET6, .sin6_port = htons((unsigned short)atoi(port)) };
	unsigned int arrived = 0, of = 0;

	if (bind(s, (void *)&own, sizeof(own)))
		fail("bind");
	for (;;) {
		struct sockaddr_storage from;
		socklen_t from_length = sizeof(from);
		struct label label;

		if (!is_whole(recvfrom(s, seen, sizeof(seen), 0, (void *)&from, &from_length), &label))
			continue;
		if (of != label.train)
			arrived = 0;
		of = label.train;
		sendto(s, seen, SHORT, 0, (void *)&from, from_length);
		if (++arrived == label.count)
			send_train(s, label, &from, false);
	}
}

/* An address of either family, and a port. */
static void read_address(struct sockaddr_storage *address, const char *host, const char *port)
{
	struct sockaddr_in *v4 = (void *)address;
	struct sockaddr_in6 *v6 = (void *)address;

	if (strchr(host, ':')) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((unsigned short)atoi(port));
		inet_pton(AF_INET6, host, &v6->sin6_addr);
	} else {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((unsigned short)atoi(port));
		inet_pton(AF_INET, host, &v4->sin_addr);
	}
}

static int send_and_count(int s, const struct sockaddr_storage *to, const char *size, const char *count)
{
	struct timeval patience = { .tv_sec = 20 }; /* only where something is lost */
	int arrived = 0, back = 0, wanted = atoi(count);
	struct label shape = { .count = (unsigned int)wanted, .size = (unsigned int)atoi(size) };
	long length;

	if (getrandom(&shape.train, sizeof(shape.train), 0) != sizeof(shape.train))
		fail("getrandom");
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	send_train(s, shape, to, true);
	while ((arrived < wanted || back < wanted) && (length = recv(s, seen, sizeof(seen), 0)) > 0) {
		struct label label;

		if (length == SHORT)
			arrived++;
		else if (is_whole(length, &label))
			back++;
	}
	printf("%d %d\n", arrived, back);
	return 0;
}

int main(int count, char **arguments)
{
	struct sockaddr_storage to = { .ss_family = AF_INET6 };
	int s, room = 4 << 20;

	if (count == 6)
		read_address(&to, arguments[2], arguments[3]);
	s = socket(to.ss_family, SOCK_DGRAM, 0);
	setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (count == 3 && !strcmp(arguments[1], "serve"))
		return serve(s, arguments[2]);
	if (count == 6 && !strcmp(arguments[1], "send"))
		return send_and_count(s, &to, arguments[4], arguments[5]);
	fprintf(stderr, "usage: trains serve PORT | trains send ADDRESS PORT SIZE COUNT\n");
	return 2;
}
