/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load generator: opens connections one after another (per worker), asks each for a page over HTTP, reads the whole
 * answer and closes, and reports the duration of each. Or it asks several times on each, and reports the duration of each
 * request.
 *
 *   load CPU CONCURRENCY TIMEOUT_MS ROUND_MS
 *
 * CPU is the processor that all workers run on, -1 for any. A round is one line on standard input and one line of JSON on
 * standard output, written when the round is over, so that nothing is printed during a measurement:
 *
 *   HOST PORT SOURCE FIRST_PORT CONNECTIONS REQUESTS PATH COUNT_BPF
 *
 * REQUESTS is the number of requests on each connection. With 1, opening and closing count too.
 * Connection i is bound to SOURCE and FIRST_PORT + i: the caller must never use a port twice, because
 * connection tracking treats a known port differently. The server is asked to close first, so no port
 * stays behind in TIME_WAIT here. COUNT_BPF 1 has the kernel count the run time of BPF programs during the round, by a
 * file descriptor: counting ends with this process in any case.
 *
 * It exits when its standard input ends, also in the middle of a round.
 */
#define _GNU_SOURCE
#include "connection.h"
#include "cost.h"
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#define MAX_SAMPLES 65535
#define MAX_WORKERS 256

struct round {
	struct question question;
	int first_port, connections, requests;
	int64_t deadline;
	atomic_int next; /* the next free connection */
	atomic_int working;
	int done; /* eventfd: the last worker writes to it */
};

static struct round round_;
static int64_t nanoseconds[MAX_SAMPLES];
static uint8_t outcomes[MAX_SAMPLES];
static int concurrency, round_ms;

static void try(int index)
{
	int port = round_.first_port + index, first = index * round_.requests;

	if (now() > round_.deadline)
		memset(outcomes + first, NOT_TRIED, round_.requests);
	else if (round_.requests == 1)
		outcomes[index] = attempt(&round_.question, port, &nanoseconds[index]);
	else
		attempt_kept(&round_.question, port, round_.requests, round_.deadline, outcomes + first, nanoseconds + first);
}

static void *work(void *unused)
{
	int index;

	(void)unused;
	while ((index = atomic_fetch_add(&round_.next, 1)) < round_.connections)
		try(index);
	if (atomic_fetch_sub(&round_.working, 1) == 1)
		eventfd_write(round_.done, 1);
	return NULL;
}

static void run(void)
{
	pthread_t workers[MAX_WORKERS];
	struct pollfd watched[] = { { round_.done, POLLIN, 0 }, { STDIN_FILENO, POLLRDHUP, 0 } };
	eventfd_t value;
	int i;

	atomic_store(&round_.next, 0);
	atomic_store(&round_.working, concurrency);
	round_.deadline = now() + round_ms * 1000000LL;
	for (i = 0; i < concurrency; i++)
		if (pthread_create(&workers[i], NULL, work, NULL))
			exit(EXIT_FAILURE);
	while (poll(watched, 2, -1) >= 0 || errno == EINTR) {
		if (watched[0].revents)
			break;
		if (watched[1].revents & (POLLHUP | POLLRDHUP | POLLERR))
			exit(EXIT_SUCCESS);
	}
	for (i = 0; i < concurrency; i++)
		pthread_join(workers[i], NULL);
	eventfd_read(round_.done, &value);
}

static void report(int64_t elapsed, int64_t busy, int64_t instructions, bool bpf_counted)
{
	int counts[OUTCOMES] = { 0 }, i;
	const char *comma = "";

	printf("{\"nanoseconds\":[");
	for (i = 0; i < round_.connections * round_.requests; i++) {
		counts[outcomes[i]]++;
		if (outcomes[i] != ANSWERED)
			continue;
		printf("%s%lld", comma, (long long)nanoseconds[i]);
		comma = ",";
	}
	printf("],\"failures\":{");
	for (comma = "", i = ANSWERED + 1; i < OUTCOMES; i++) {
		if (!counts[i])
			continue;
		printf("%s\"%s\":%d", comma, words[i], counts[i]);
		comma = ",";
	}
	printf("},\"elapsedNs\":%lld,\"processorNs\":%lld,\"bpfCounted\":%s", (long long)elapsed, (long long)busy,
	       bpf_counted ? "true" : "false");
	if (instructions >= 0)
		printf(",\"instructions\":%lld", (long long)instructions);
	printf("}\n");
	fflush(stdout);
}

static void measure(bool counting_bpf)
{
	int counters[MAX_PROCESSORS], processors = open_instructions(counters), i;
	int bpf = counting_bpf ? count_bpf() : -1;
	int64_t instructions = processors ? 0 : -1, count, busy = processor_time(), began = now();

	for (i = 0; i < processors; i++)
		ioctl(counters[i], PERF_EVENT_IOC_RESET, 0);
	run();
	began = now() - began;
	for (i = 0; i < processors; i++) {
		if (read(counters[i], &count, sizeof(count)) == sizeof(count))
			instructions += count;
		close(counters[i]);
	}
	report(began, processor_time() - busy, instructions, bpf >= 0);
	if (bpf >= 0)
		close(bpf);
}

static void write_request(char request[REQUEST_ROOM], const char *path, const char *host, const char *connection)
{
	snprintf(request, REQUEST_ROOM, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: ebpf-dataplane-load\r\nConnection: %s\r\n\r\n",
		 path, host, connection);
}

/* @return what is wrong with the line, or NULL */
static const char *read_round(const char *line, bool *counting_bpf)
{
	char host[64], source[64], path[256];
	int port, count;

	if (sscanf(line, "%63s %d %63s %d %d %d %255s %d", host, &port, source, &round_.first_port, &round_.connections,
		   &round_.requests, path, &count) != 8)
		return "a round is HOST PORT SOURCE FIRST_PORT CONNECTIONS REQUESTS PATH COUNT_BPF";
	round_.question.target = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
	round_.question.source = (struct sockaddr_in){ .sin_family = AF_INET };
	if (inet_pton(AF_INET, host, &round_.question.target.sin_addr) != 1 ||
	    inet_pton(AF_INET, source, &round_.question.source.sin_addr) != 1)
		return "HOST and SOURCE are IPv4 addresses";
	if (round_.connections < 1 || round_.first_port < 1 || round_.first_port + round_.connections - 1 > 65535)
		return "FIRST_PORT + CONNECTIONS passes 65535";
	if (round_.requests < 1 || round_.requests > MAX_SAMPLES / round_.connections)
		return "CONNECTIONS times REQUESTS is 1 to 65535";
	write_request(round_.question.request, path, host, "close");
	write_request(round_.question.kept, path, host, "keep-alive");
	*counting_bpf = count;
	return NULL;
}

static int stay_on(int processor)
{
	cpu_set_t set;

	if (processor < 0)
		return 0;
	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

int main(int argc, char **argv)
{
	const char *wrong;
	bool counting_bpf;
	char line[1024];

	if (argc != 5) {
		fprintf(stderr, "usage: load CPU CONCURRENCY TIMEOUT_MS ROUND_MS\n");
		return 2;
	}
	concurrency = atoi(argv[2]);
	round_.question.timeout_ms = atoi(argv[3]);
	round_ms = atoi(argv[4]);
	if (concurrency < 1 || concurrency > MAX_WORKERS || round_.question.timeout_ms < 1 || round_ms < 1) {
		fprintf(stderr, "load: CONCURRENCY is 1 to %d, TIMEOUT_MS and ROUND_MS are positive\n", MAX_WORKERS);
		return 2;
	}
	if (stay_on(atoi(argv[1]))) {
		fprintf(stderr, "load: cannot run on processor %s: %s\n", argv[1], strerror(errno));
		return 2;
	}
	round_.done = eventfd(0, EFD_CLOEXEC);
	while (fgets(line, sizeof(line), stdin)) {
		wrong = read_round(line, &counting_bpf);
		if (wrong) {
			fprintf(stderr, "load: %s\n", wrong);
			return 2;
		}
		measure(counting_bpf);
	}
	return EXIT_SUCCESS;
}
