/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trains of datagrams, sent in one call with UDP_SEGMENT (udp(7)) and carried by the kernel as one packet as
 * long as it can, as QUIC does.
 *
 *   trains serve PORT
 *   trains send HOST PORT SIZE COUNT
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
#include <sys/time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#define MOST_BYTES 65507
#define SHORT 16

static unsigned char train[MOST_BYTES], seen[2048];

struct label {
	unsigned int index, count, size;
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void write_train(unsigned int size, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		struct label label = { i, count, size };

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

static void send_train(int s, unsigned int size, unsigned int count, const struct sockaddr_in *to, bool must)
{
	int segment = (int)size, none = 0;

	write_train(size, count);
	if (setsockopt(s, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)))
		fail("UDP_SEGMENT");
	if (sendto(s, train, (size_t)size * count, 0, (const void *)to, sizeof(*to)) < 0) {
		if (must)
			fail("sendto");
		setsockopt(s, IPPROTO_UDP, UDP_SEGMENT, &none, sizeof(none));
		for (unsigned int i = 0; i < count; i++)
			sendto(s, train + i * size, size, 0, (const void *)to, sizeof(*to));
	}
	setsockopt(s, IPPROTO_UDP, UDP_SEGMENT, &none, sizeof(none));
}

static int serve(int s, const char *port)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port)) };
	unsigned int arrived = 0, of = 0;

	if (bind(s, (void *)&own, sizeof(own)))
		fail("bind");
	for (;;) {
		struct sockaddr_in from;
		socklen_t from_length = sizeof(from);
		struct label label;

		if (!is_whole(recvfrom(s, seen, sizeof(seen), 0, (void *)&from, &from_length), &label))
			continue;
		if (of != from.sin_port)
			arrived = 0;
		of = from.sin_port;
		sendto(s, seen, SHORT, 0, (void *)&from, from_length);
		if (++arrived == label.count)
			send_train(s, label.size, label.count, &from, false);
	}
}

static int send_and_count(int s, const char *host, const char *port, const char *size, const char *count)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port)) };
	struct timeval patience = { .tv_sec = 1 };
	int arrived = 0, back = 0, wanted = atoi(count);
	long length;

	inet_pton(AF_INET, host, &to.sin_addr);
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	send_train(s, (unsigned int)atoi(size), (unsigned int)wanted, &to, true);
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
	int s = socket(AF_INET, SOCK_DGRAM, 0), room = 4 << 20;

	setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (count == 3 && !strcmp(arguments[1], "serve"))
		return serve(s, arguments[2]);
	if (count == 6 && !strcmp(arguments[1], "send"))
		return send_and_count(s, arguments[2], arguments[3], arguments[4], arguments[5]);
	fprintf(stderr, "usage: trains serve PORT | trains send HOST PORT SIZE COUNT\n");
	return 2;
}
