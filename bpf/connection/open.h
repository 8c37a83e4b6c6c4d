/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../scratch.h"
#include "track.h"
#include <linux/errno.h>

/* An entry to be filled in, seen now; too large for the stack. NULL never, but for the verifier. */
static __always_inline struct connection *connection_draft(void)
{
	struct scratch *scratch = scratch_get();

	if (!scratch)
		return NULL;
	__builtin_memset(&scratch->connection, 0, sizeof(scratch->connection));
	scratch->connection.last_seen = bpf_ktime_get_coarse_ns();
	return &scratch->connection;
}

/* An opening to be filled in. NULL never, but for the verifier. */
static __always_inline struct opening *opening_draft(void)
{
	struct scratch *scratch = scratch_get();

	if (!scratch)
		return NULL;
	__builtin_memset(&scratch->opening, 0, sizeof(scratch->opening));
	return &scratch->opening;
}

/* A new connection is not established yet; what had its tuple is over. */
static __always_inline long connection_begin(const struct tuple *tuple, const struct connection *entry)
{
	bpf_map_delete_elem(&connections, tuple);
	return bpf_map_update_elem(&half_open, tuple, entry, BPF_ANY);
}

static __always_inline bool same_connection(const struct connection *reply, const struct tuple *tuple)
{
	return (reply->flags & CONNECTION_REPLY) && reply->port == tuple->destination_port &&
	       reply->peer_port == tuple->source_port && address_is_equal(&reply->address, &tuple->destination);
}

#define PORT_TRIES 8
#define PORT_FIRST 32768

enum claim {
	CLAIMED,
	CLAIM_TAKEN, /* another connection has this reply tuple */
	CLAIM_FULL,
};

/* Writes the reply's entry where nothing is in the way, or what is there is over or belongs to the same connection. Two
 * processors may want the place at the same moment: one gets it. */
static __always_inline enum claim claim_reply_tuple(const struct tuple *reply, const struct tuple *tuple,
						    const struct connection *entry)
{
	struct connection *other = connection_lookup(reply);
	__u64 last_seen;
	long result;

	if (!other) {
		result = bpf_map_update_elem(&half_open, reply, entry, BPF_NOEXIST);
		return result == -EEXIST ? CLAIM_TAKEN : result ? CLAIM_FULL : CLAIMED;
	}
	last_seen = other->last_seen;
	if (!same_connection(other, tuple) && (other->flags & CONNECTION_REPLY) &&
	    tuple->protocol != IPPROTO_ICMP && /* an echo identifier is not ours to change: the later flow wins */
	    (connection_is_live(other, tuple->protocol) ||
	     __sync_val_compare_and_swap(&other->last_seen, last_seen, entry->last_seen) != last_seen))
		return CLAIM_TAKEN;
	return connection_begin(reply, entry) ? CLAIM_FULL : CLAIMED;
}

/* Two flows of one client (same source port, two frontends) that meet at one backend would share a reply tuple.
 * The later one gets another source *port*; the address is never touched. That holds also shortly after the first one
 * has closed: the backend may keep its socket in TIME_WAIT, and the client's sequence numbers and timestamps, which it
 * draws per destination, would look old to it. */
static __always_inline enum outcome write_reply(struct tuple *reply, const struct tuple *tuple, struct connection *entry)
{
	/* What passes the stack keeps its ports: there its connection tracking keeps flows apart. */
	if (entry->flags & CONNECTION_VIA_STACK)
		return connection_begin(reply, entry) ? OUTCOME_DROP_CONNECTION_TABLE_FULL : OUTCOME_TO_ENDPOINT;
	for (int i = 0; i < PORT_TRIES; i++) {
		switch (claim_reply_tuple(reply, tuple, entry)) {
		case CLAIMED:
			return OUTCOME_TO_ENDPOINT;
		case CLAIM_FULL:
			return OUTCOME_DROP_CONNECTION_TABLE_FULL;
		default:
			break;
		}
		reply->destination_port = bpf_htons(PORT_FIRST + (bpf_get_prandom_u32() & 0x7fff));
		entry->flags |= CONNECTION_TRANSLATED;
	}
	return OUTCOME_DROP_PORT_COLLISION;
}

/* Writes both directions of a new connection. Returns OUTCOME_TO_ENDPOINT, or the reason why it cannot be. */
static __noinline enum outcome connection_open(const struct packet *packet, struct opening *opening)
{
	struct connection *entry = connection_draft();
	const struct tuple *tuple;
	struct tuple reply = {};
	enum outcome written;

	if (!packet || !opening || !entry)
		return OUTCOME_DROP_MALFORMED;
	tuple = &packet->tuple;
	reply.source = opening->backend;
	reply.destination = opening->flags & CONNECTION_HAIRPIN ? tuple->destination : tuple->source;
	reply.source_port = opening->backend_port;
	reply.destination_port = tuple->source_port;
	reply.protocol = tuple->protocol;

	entry->flags = opening->flags | CONNECTION_REPLY | (packet_is_syn(packet) ? CONNECTION_SYN : 0);
	if (opening->backend_port != tuple->destination_port ||
	    !address_is_equal(&opening->backend, &tuple->destination))
		entry->flags |= CONNECTION_TRANSLATED;
	entry->address = tuple->destination;
	entry->port = tuple->destination_port;
	entry->peer_port = tuple->source_port;
	entry->node = opening->entry;
	entry->backend = opening->backend_id;
	entry->policy_revision = opening->policy_revision;
	entry->sequence = packet->sequence;
	written = write_reply(&reply, tuple, entry);
	if (written != OUTCOME_TO_ENDPOINT)
		return written;

	opening->peer_port = reply.destination_port;
	entry->flags &= ~CONNECTION_REPLY;
	entry->packets = 1;
	entry->next = packet->next;
	entry->address = opening->backend;
	entry->port = opening->backend_port;
	entry->peer_port = opening->peer_port;
	entry->origin = opening->origin;
	if (connection_begin(tuple, entry))
		return OUTCOME_DROP_CONNECTION_TABLE_FULL;
	return OUTCOME_TO_ENDPOINT;
}

/* The entry node's side of a connection whose backend is elsewhere: one entry, since it may never see a reply. */
static __always_inline enum outcome connection_open_forwarded(const struct packet *packet, const struct backend *backend,
							      __u32 backend_id, __u32 return_flag)
{
	struct connection *entry = connection_draft();

	if (!entry)
		return OUTCOME_DROP_MALFORMED;
	entry->packets = 1;
	entry->next = packet->next;
	entry->address = backend->address;
	entry->port = backend->port;
	entry->peer_port = packet->tuple.source_port;
	entry->node = backend->node;
	entry->flags = CONNECTION_FORWARDED | return_flag | (packet_is_syn(packet) ? CONNECTION_SYN : 0);
	entry->backend = backend_id;
	entry->sequence = packet->sequence;
	if (connection_begin(&packet->tuple, entry))
		return OUTCOME_DROP_CONNECTION_TABLE_FULL;
	return OUTCOME_FORWARD_SERVICE;
}
