/* SPDX-License-Identifier: Apache-2.0 */
/* One connection: connect, GET, the whole answer, close; its duration and its result. */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
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
	NOT_TRIED,	/* the round's time was over */
	OUTCOMES
};

static const char *const words[OUTCOMES] = {
	"answered",	"portTaken",   "refused", "noConnection", "noAnswer", "reset",
	"unreachable",	"shortAnswer", "notOk",	  "other",	  "notTried",
};

/* Shared by all connections of a round. */
struct question {
	struct sockaddr_in target, source; /* the source without its port */
	char request[512];
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

/* Whether an answer has status 200 and its declared length. The end of the connection has been read. */
static enum outcome judge_answer(char *answer, size_t length)
{
	char *body, *header;

	answer[length] = 0;
	if (length < 12 || strncmp(answer, "HTTP/1.", 7))
		return SHORT_ANSWER;
	if (strncmp(answer + 8, " 200", 4))
		return NOT_OK;
	body = strstr(answer, "\r\n\r\n");
	if (!body)
		return SHORT_ANSWER;
	header = strcasestr(answer, "\r\nContent-Length:");
	if (header && header < body && length - (body + 4 - answer) < strtoul(header + 17, NULL, 10))
		return SHORT_ANSWER;
	return ANSWERED;
}

/* The timed part: connect, request, the complete answer, close. */
static enum outcome talk(int sock, const struct question *question, int64_t began)
{
	char answer[65536];
	size_t length = 0;
	ssize_t got;

	if (connect(sock, (const struct sockaddr *)&question->target, sizeof(question->target)))
		return failure(errno, NO_CONNECTION);
	if (send(sock, question->request, strlen(question->request), MSG_NOSIGNAL) < 0)
		return failure(errno, NO_ANSWER);
	while ((got = recv(sock, answer + length, sizeof(answer) - 1 - length, 0)) > 0) {
		length += got;
		if (length == sizeof(answer) - 1)
			return OTHER; /* not a page to measure with */
		if (now() - began > 2 * question->timeout_ms * 1000000LL)
			return NO_ANSWER;
	}
	return got < 0 ? failure(errno, NO_ANSWER) : judge_answer(answer, length);
}

/* @param nanoseconds set when something was sent */
static enum outcome attempt(const struct question *question, int port, int64_t *nanoseconds)
{
	struct timeval patience = { question->timeout_ms / 1000, question->timeout_ms % 1000 * 1000 };
	struct linger at_once = { 1, 0 };
	struct sockaddr_in source = question->source;
	enum outcome outcome;
	int64_t began;
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (sock < 0)
		return OTHER;
	setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	source.sin_port = htons(port);
	if (bind(sock, (struct sockaddr *)&source, sizeof(source))) {
		close(sock);
		return PORT_TAKEN;
	}
	began = now();
	outcome = talk(sock, question, began);
	if (outcome != ANSWERED)
		setsockopt(sock, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(sock);
	*nanoseconds = now() - began;
	return outcome;
}
