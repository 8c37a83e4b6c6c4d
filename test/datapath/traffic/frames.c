// SPDX-License-Identifier: Apache-2.0
// Sends and receives whole Ethernet frames, also those that no normal socket would send or show.
//   frames send INTERFACE FILE    each frame of the file, a line of hexadecimal each, past the interface's own programs
//   frames flood INTERFACE FILE COUNT     the first one COUNT times, each from another address and port of a /16
//   frames receive INTERFACE      prints each frame that comes in, in hexadecimal, until it is ended
// Tests compile it and run it in their own network namespaces.
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LARGEST 65536

static unsigned char frame[LARGEST];

static size_t read_frame(const char *line)
{
	size_t length = 0;

	while (length < LARGEST && sscanf(line + 2 * length, "%2hhx", &frame[length]) == 1)
		length++;
	return length;
}

static int send_frames(int socket, FILE *file)
{
	static char line[2 * LARGEST + 2];
	int on = 1;

	if (!file || setsockopt(socket, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)))
		return 2;
	while (fgets(line, sizeof(line), file)) {
		size_t length = read_frame(line);

		if (length && send(socket, frame, length, 0) < 0) {
			perror("send");
			return 1;
		}
	}
	return 0;
}

#define SOURCE_ADDRESS 28 /* its low half, behind an Ethernet header */
#define SOURCE_PORT 34

/* Checksums are left unchanged: the dataplane does not check them. */
static int flood(int socket, FILE *file, long count)
{
	static char line[2 * LARGEST + 2];
	size_t length = file && fgets(line, sizeof(line), file) ? read_frame(line) : 0;

	for (long i = 0; length && i < count; i++) {
		unsigned short address = htons(i & 0xffff), port = htons(1024 + (i >> 8) % 60000);

		memcpy(frame + SOURCE_ADDRESS, &address, sizeof(address));
		memcpy(frame + SOURCE_PORT, &port, sizeof(port));
		if (send(socket, frame, length, 0) < 0) {
			perror("send");
			return 1;
		}
	}
	return length ? 0 : 2;
}

static int receive_frames(int socket)
{
	struct sockaddr_ll from;
	socklen_t size = sizeof(from);
	ssize_t length;

	puts("listening");
	fflush(stdout);
	while ((length = recvfrom(socket, frame, LARGEST, 0, (struct sockaddr *)&from, &size)) >= 0) {
		if (from.sll_pkttype == PACKET_OUTGOING)
			continue;
		for (ssize_t at = 0; at < length; at++)
			printf("%02x", frame[at]);
		putchar('\n');
		fflush(stdout);
	}
	perror("receive");
	return 1;
}

int main(int count, char **words)
{
	int file = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};

	if (count < 3 || (count < 4 && !strcmp(words[1], "send")) || file < 0) {
		perror("frames");
		return 2;
	}
	address.sll_ifindex = if_nametoindex(words[2]);
	if (bind(file, (struct sockaddr *)&address, sizeof(address))) {
		perror(words[2]);
		return 1;
	}
	if (!strcmp(words[1], "flood") && count > 4)
		return flood(file, fopen(words[3], "r"), atol(words[4]));
	return strcmp(words[1], "send") ? receive_frames(file) : send_frames(file, fopen(words[3], "r"));
}
