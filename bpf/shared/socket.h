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

/* What a socket asked for and what it was given. */
struct socket_peer {
	struct address frontend;
	struct address address; /* the backend's */
	__be16 frontend_port;
	__be16 port;
	__u32 backend; /* id; 0: this place is free */
};

/* What `outlived_sockets` tells the agent of a connected UDP socket. Of zeros: nothing. */
struct outlived_socket {
	__u64 cookie;		 /* SO_COOKIE (socket(7)), never 0; no other socket has it while the kernel runs */
	__u64 network_namespace; /* the cookie of the one that it is in */
	struct socket_peer peer;
	struct address source; /* with the port and the interface, what the kernel finds the socket by; ::, it has none */
	__be16 source_port;
	__u16 family;	 /* AF_INET, or AF_INET6, also of one that is connected to IPv4 */
	__u32 interface; /* that it is bound to; 0: none */
	__u32 is_kept;	 /* its backend is not gone; it is told because the backend's address is also a service's */
	__u32 padding;
};

/* A read of `outlived_sockets` ends after so many sockets that were walked, or that are told of, so that none takes long. */
#define SOCKETS_WALKED 4096
#define SOCKETS_TOLD 100

/* For how many frontends an unconnected socket keeps its backends. The packets of a workload's socket to others are translated one by one; of a node's own
 * process one more replaces the oldest. */
#define SOCKET_FLOWS 16
