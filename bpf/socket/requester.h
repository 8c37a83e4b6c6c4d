/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../locate.h"
#include "../maps/sockets.h"
#include "../shared/settings.h"
#include "../net/address.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* The workload or host whose socket asks. A socket that is not bound yet has no address, but it is in the network namespace of its pod
 * or host. */

enum requester_kind {
	REQUESTER_HOST,
	REQUESTER_WORKLOAD,
	REQUESTER_OTHER, /* a namespace on this node that is not ours, of another container engine for instance */
};

struct requester {
	struct address address; /* what packets of it would come from; of OTHER: its namespace's cookie, which distinguishes it as well */
	enum requester_kind kind;
};

/* @param cookie of a network namespace @param destination decides the family of the requester's address; ::, it has none of that family */
static __always_inline void requester_in(__u64 cookie, const struct settings *settings, const struct address *destination,
					 struct requester *requester)
{
	struct network_namespace namespace = {.cookie = cookie};
	const struct workload *workload;

	if (namespace.cookie == settings->host_namespace) {
		requester->kind = REQUESTER_HOST;
		requester->address = *own_address_like(settings, destination);
		return;
	}
	workload = bpf_map_lookup_elem(&namespaces, &namespace);
	if (workload) {
		requester->kind = REQUESTER_WORKLOAD;
		requester->address = *workload_address(workload, destination);
		return;
	}
	requester->kind = REQUESTER_OTHER;
	requester->address = (struct address){
		.word = {(__u32)(namespace.cookie >> 32), (__u32)namespace.cookie, 0, 0}};
}

static __always_inline void requester_of(struct bpf_sock_addr *socket, const struct settings *settings,
					 const struct address *destination, struct requester *requester)
{
	requester_in(bpf_get_netns_cookie(socket), settings, destination, requester);
}

/* Whether the socket can have packets of its destination's family, as far as is known. */
static __always_inline bool has_address(const struct requester *requester)
{
	return !address_is_unset(&requester->address);
}

/* Whether the packet path translates what this socket sends. It sees the packets of workloads. */
static __always_inline bool is_left_to_packets(const struct requester *requester, const struct settings *settings)
{
	return requester->kind == REQUESTER_WORKLOAD && settings->socket_translation == SOCKET_TRANSLATION_HOST_ONLY;
}
