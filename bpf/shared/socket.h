/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "address.h"

/* The sockets that are given a backend when they connect or send a datagram. The packets of all others are translated one by one, with
 * the same result. */
enum socket_translation {
	SOCKET_TRANSLATION_ALL = 0,
	SOCKET_TRANSLATION_HOST_ONLY = 1, /* none of a workload's */
};

struct network_namespace {
	__u64 cookie; /* SO_NETNS_COOKIE of its sockets (socket(7)) */
};

struct socket_cookie {
	__u64 cookie; /* SO_COOKIE (socket(7)); no other socket has it while the kernel runs */
};

/* What a socket asked for and what it was given. */
struct socket_peer {
	struct address frontend;
	struct address address; /* the backend's */
	__be16 frontend_port;
	__be16 port;
	__u32 backend; /* id; 0: this place is free */
};

/* For how many frontends an unconnected socket keeps its backends. One more frontend replaces the oldest. */
#define SOCKET_FLOWS 16
