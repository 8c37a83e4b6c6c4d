/* SPDX-License-Identifier: Apache-2.0 */
/* One connection, and what is asked on it: durations and results. */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum outcome {
	ANSWERED,
	PORT_TAKEN,	/* the source port or address could not be bound */
	REFUSED,
	NO_CONNECTION,	/* SYN without an answer */
	NO_ANSWER,	/* connected, and then nothing, or not the end of it */
	RESET,
	UNREACHABLE,
	SHORT_ANSWER,
	NOT_OK,		/* an answer, but not 200 */
	OTHER,
	NOT_TRIED,	/* the round's time was over, or the request before it on the same connection failed */
	OUTCOMES
};

static const char *const words[OUTCOMES] = {
	"answered",	"portTaken",   "refused", "noConnection", "noAnswer", "reset",
	"unreachable",	"shortAnswer", "notOk",	  "other",	  "notTried",
};

#define REQUEST_ROOM 512
#define ANSWER_ROOM 65536

/* Shared by all connections of a round. */
struct question {
	struct sockaddr_in target, source; /* the source without its port */
	char request[REQUEST_ROOM]; /* the only one of a connection, or the last: it asks the server to close */
	char kept[REQUEST_ROOM];    /* each one before */
	int timeout_ms;
};

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static enum outcome failure(int error, enum outcome timed_out)
{
	switch (error) {
	case EAGAIN:
	case EINPROGRESS:
	case ETIMEDOUT:
		return timed_out;
	case ECONNREFUSED:
		return REFUSED;
	case ECONNRESET:
	case EPIPE:
		return RESET;
	case EHOSTUNREACH:
	case ENETUNREACH:
		return UNREACHABLE;
	default:
		return OTHER;
	}
}

/* How many bytes of the answer's body are still to come, as far as it declares; -1: it has not come so far, or declares no length. */
static long missing(char *answer, size_t length)
{
	char *body, *header;
	size_t declared, there;

	answer[length] = 0;
	body = strstr(answer, "\r\n\r\n");
	header = body ? strcasestr(answer, "\r\nContent-Length:") : NULL;
	if (!header || header > body)
		return -1;
	declared = strtoul(header + 17, NULL, 10);
	there = length - (body + 4 - answer);
	return declared > there ? declared - there : 0;
}

/* Whether an answer has status 200 and its declared length. Nothing more of it comes. */
static enum outcome judge_answer(char *answer, size_t length)
{
	answer[length] = 0;
	if (length < 12 || strncmp(answer, "HTTP/1.", 7))
		return SHORT_ANSWER;
	if (strncmp(answer + 8, " 200", 4))
		return NOT_OK;
	return !strstr(answer, "\r\n\r\n") || missing(answer, length) > 0 ? SHORT_ANSWER : ANSWERED;
}

/* One request and its whole answer. @param keeps the connection goes on after it, so that the answer ends with its declared length and not with the
 * connection */
static enum outcome ask(int sock, const char *request, bool keeps, int timeout_ms)
{
	char answer[ANSWER_ROOM];
	int64_t began = now();
	size_t length = 0;
	ssize_t got;

	if (send(sock, request, strlen(request), MSG_NOSIGNAL) < 0)
		return failure(errno, NO_ANSWER);
	while ((got = recv(sock, answer + length, sizeof(answer) - 1 - length, 0)) > 0) {
		length += got;
		if (length == sizeof(answer) - 1)
			return OTHER; /* not a page to measure with */
		if (keeps && missing(answer, length) == 0)
			break;
		if (now() - began > 2 * timeout_ms * 1000000LL)
			return NO_ANSWER;
	}
	return got < 0 ? failure(errno, NO_ANSWER) : judge_answer(answer, length);
}

static int open_bound(const struct question *question, int port, enum outcome *outcome)
{
	struct timeval patience = { question->timeout_ms / 1000, question->timeout_ms % 1000 * 1000 };
	struct sockaddr_in source = question->source;
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*outcome = OTHER;
	if (sock < 0)
		return -1;
	setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	source.sin_port = htons(port);
	if (!bind(sock, (struct sockaddr *)&source, sizeof(source)))
		return sock;
	close(sock);
	*outcome = PORT_TAKEN;
	return -1;
}

static enum outcome connect_to(int sock, const struct question *question)
{
	const struct sockaddr *target = (const struct sockaddr *)&question->target;

	return connect(sock, target, sizeof(question->target)) ? failure(errno, NO_CONNECTION) : ANSWERED;
}

static void end(int sock, enum outcome outcome)
{
	struct linger at_once = { 1, 0 };

	if (outcome != ANSWERED)
		setsockopt(sock, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(sock);
}

/* A connection for one request: connect, GET, the whole answer and close are timed. @param nanoseconds set when something was sent */
static enum outcome attempt(const struct question *question, int port, int64_t *nanoseconds)
{
	enum outcome outcome;
	int64_t began;
	int sock = open_bound(question, port, &outcome);

	if (sock < 0)
		return outcome;
	began = now();
	outcome = connect_to(sock, question);
	if (outcome == ANSWERED)
		outcome = ask(sock, question->request, false, question->timeout_ms);
	end(sock, outcome);
	*nanoseconds = now() - began;
	return outcome;
}

/* Several requests on one connection: each GET with its whole answer is timed. After one that failed no other is tried.
 * @param outcomes, nanoseconds one for each request */
static void attempt_kept(const struct question *question, int port, int requests, int64_t deadline, uint8_t *outcomes,
			 int64_t *nanoseconds)
{
	enum outcome outcome;
	int64_t began;
	bool is_last;
	int i, sock = open_bound(question, port, &outcome);

	memset(outcomes, NOT_TRIED, requests);
	if (sock >= 0)
		outcome = connect_to(sock, question);
	outcomes[0] = outcome;
	for (i = 0; sock >= 0 && outcome == ANSWERED && i < requests; i++) {
		began = now();
		is_last = i == requests - 1;
		if (began > deadline) {
			outcomes[i] = NOT_TRIED;
			break;
		}
		outcome = ask(sock, is_last ? question->request : question->kept, !is_last, question->timeout_ms);
		nanoseconds[i] = now() - began;
		outcomes[i] = outcome;
	}
	if (sock >= 0)
		end(sock, outcome);
}
