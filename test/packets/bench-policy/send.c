// Sends TCP SYNs by an interface, each from another source port: `send INTERFACE FRAME-AS-HEX FIRST-PORT COUNT`. The kernel receives each
// within the sender's call. Prints nanoseconds for one, the median of short series, since others use the CPU too, and how many it sent: fewer
// than COUNT if they take more than a second.
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { SOURCE_PORT = 34, CHECKSUM = 50, LARGEST = 256, SERIES = 50, LARGEST_COUNT = 60000, LONGEST = 1000000000 };

static uint64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static uint16_t read16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static void write16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

/* RFC 1624: the checksum after one word of what it covers changed. */
static uint16_t after_change(uint16_t checksum, uint16_t before, uint16_t after)
{
	uint32_t sum = (uint16_t)~checksum + (uint16_t)~before + after;
	sum = (sum & 0xffff) + (sum >> 16);
	return ~((sum & 0xffff) + (sum >> 16));
}

static int ascending(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
	return (left > right) - (left < right);
}

int main(int argc, char **argv)
{
	if (argc != 5)
		return 2;
	uint8_t frame[LARGEST];
	size_t length = strlen(argv[2]) / 2;
	if (length < CHECKSUM + 2 || length > sizeof(frame))
		return 2;
	for (size_t at = 0; at < length; at++)
		sscanf(argv[2] + 2 * at, "%2hhx", &frame[at]);
	int first = atoi(argv[3]), count = atoi(argv[4]);
	if (count < SERIES || count > LARGEST_COUNT)
		return 2;
	int sender = socket(AF_PACKET, SOCK_RAW, 0);
	struct sockaddr_ll link = {.sll_family = AF_PACKET, .sll_ifindex = if_nametoindex(argv[1])};
	if (sender < 0 || bind(sender, (struct sockaddr *)&link, sizeof(link)) < 0) {
		perror("cannot send");
		return 1;
	}
	static uint64_t took[LARGEST_COUNT / SERIES];
	int series = 0;
	uint64_t enough = now() + LONGEST;
	for (int number = 0; number + SERIES <= count && (series == 0 || now() < enough); number += SERIES) {
		uint64_t began = now();
		for (int port = first + number; port < first + number + SERIES; port++) {
			uint16_t before = read16(frame + SOURCE_PORT);
			write16(frame + SOURCE_PORT, port);
			write16(frame + CHECKSUM, after_change(read16(frame + CHECKSUM), before, port));
			if (send(sender, frame, length, 0) < 0) {
				perror("cannot send");
				return 1;
			}
		}
		took[series++] = now() - began;
	}
	qsort(took, series, sizeof(took[0]), ascending);
	printf("%.1f %d\n", (double)took[series / 2] / SERIES, series * SERIES);
	return 0;
}
