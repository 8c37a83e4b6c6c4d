/* SPDX-License-Identifier: Apache-2.0 */
/* `asking RATE PLACE…` opens RATE sockets a second to the places in turn ("tcp:10.96.0.10:80", "udp:[fd00::1]:80"), asks once on each, and every 50 ms on
 * one unconnected UDP socket for each place of UDP. Prints ten times a second what it has counted, as a line of JSON. The end of its input ends the
 * asking; it then waits for the answers that are missing. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST 8000
#define MOST_PLACES 32
#define PATIENCE_S 30 /* TCP sends a lost SYN again after 1, 3, 7 and 15 s; nobody sends a lost datagram again */

struct place {
	const char *text;
	int type;
	struct sockaddr_storage at;
	socklen_t length;
};

struct ask {
	int fd;
	const struct place *place;
	bool is_kept, is_open;
	double since;
};

static struct place places[MOST_PLACES];
static struct ask asks[MOST];
static struct pollfd polled[MOST + 1];
static int count, place_count;
static unsigned long asked, answered, refused, unanswered_tcp, unanswered_udp, kept_asked, kept_answered;

static double now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec + at.tv_nsec / 1e9;
}

static bool read_place(char *text, struct place *place)
{
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)&place->at;
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)&place->at;
	char *host = text + 4, *port = strrchr(text, ':');

	place->text = strdup(text);
	place->type = strncmp(text, "tcp:", 4) ? SOCK_DGRAM : SOCK_STREAM;
	*port++ = 0;
	if (*host == '[') {
		host[strlen(host) - 1] = 0;
		*ipv6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(atoi(port))};
		place->length = sizeof(*ipv6);
		return inet_pton(AF_INET6, host + 1, &ipv6->sin6_addr) == 1;
	}
	*ipv4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(port))};
	place->length = sizeof(*ipv4);
	return inet_pton(AF_INET, host, &ipv4->sin_addr) == 1;
}

static void refuse(const struct ask *ask, const char *why)
{
	refused++;
	fprintf(stderr, "%s: %s\n", ask->place->text, why);
}

static void open_to(const struct place *place, bool is_kept)
{
	struct ask ask = {.fd = socket(place->at.ss_family, place->type | SOCK_NONBLOCK, 0), .place = place, .since = now()};

	ask.is_kept = is_kept;
	ask.is_open = place->type == SOCK_DGRAM;
	if (!is_kept)
		asked++;
	if (ask.fd < 0 || count == MOST ||
	    (!is_kept && connect(ask.fd, (const struct sockaddr *)&place->at, place->length) && errno != EINPROGRESS) ||
	    (!is_kept && ask.is_open && send(ask.fd, "?", 1, 0) < 0)) {
		refuse(&ask, strerror(errno));
		close(ask.fd);
		return;
	}
	asks[count++] = ask;
}

/* @return whether it is over */
static bool goes_on(struct ask *ask, short events, double at)
{
	char bytes[4096];
	ssize_t got;
	int error = 0;
	socklen_t length = sizeof(error);

	if (!ask->is_open && (events & (POLLOUT | POLLERR))) {
		getsockopt(ask->fd, SOL_SOCKET, SO_ERROR, &error, &length);
		if (error)
			return refuse(ask, strerror(error)), true;
		ask->is_open = true;
		send(ask->fd, "?\n", 2, MSG_NOSIGNAL);
		return false;
	}
	if (events & (POLLIN | POLLERR | POLLHUP)) {
		got = recv(ask->fd, bytes, sizeof(bytes), 0);
		if (got > 0 && ask->is_kept)
			kept_answered++;
		else if (got > 0)
			answered++;
		else if (got == 0 || errno != EAGAIN)
			refuse(ask, got ? strerror(errno) : "closed without an answer");
		return !ask->is_kept;
	}
	if (ask->is_kept || at - ask->since < PATIENCE_S)
		return false;
	if (ask->place->type == SOCK_STREAM)
		unanswered_tcp++;
	else
		unanswered_udp++;
	return true;
}

int main(int argc, char **argv)
{
	double due = now(), told = due, kept = due, rate = argc > 1 ? atof(argv[1]) : 0;
	bool is_ending = false;
	int index, next = 0;

	for (index = 2; index < argc && place_count < MOST_PLACES; index++) {
		if (!read_place(argv[index], &places[place_count++]))
			return 2;
	}
	if (rate <= 0 || !place_count)
		return 2;
	for (index = 0; index < place_count; index++) {
		if (places[index].type == SOCK_DGRAM)
			open_to(&places[index], true);
	}
	for (;;) {
		double at = now();

		for (; !is_ending && due <= at; due += 1 / rate)
			open_to(&places[next++ % place_count], false);
		for (index = 0; !is_ending && at - kept > 0.05 && index < count; index++) {
			const struct ask *ask = &asks[index];

			if (!ask->is_kept)
				continue;
			if (sendto(ask->fd, "?", 1, 0, (const struct sockaddr *)&ask->place->at, ask->place->length) == 1)
				kept_asked++;
			else
				refuse(ask, strerror(errno));
		}
		if (at - kept > 0.05)
			kept = at;
		for (index = 0; index < count; index++)
			polled[index] = (struct pollfd){.fd = asks[index].fd, .events = asks[index].is_open ? POLLIN : POLLOUT};
		polled[count] = (struct pollfd){.fd = is_ending ? -1 : 0, .events = POLLIN};
		poll(polled, count + 1, 5);
		is_ending = is_ending || polled[count].revents;
		for (index = count - 1; index >= 0; index--) {
			if (!goes_on(&asks[index], polled[index].revents, at))
				continue;
			close(asks[index].fd);
			asks[index] = asks[--count];
		}
		if (at - told < 0.1)
			continue;
		told = at;
		printf("{\"asked\":%lu,\"answered\":%lu,\"refused\":%lu,\"unansweredTcp\":%lu,\"unansweredUdp\":%lu,\"keptAsked\":%lu,\"keptAnswered\":%lu}\n",
		       asked, answered, refused, unanswered_tcp, unanswered_udp, kept_asked, kept_answered);
		fflush(stdout);
	}
}
