/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../verdict.h"
#include "live.h"
#include "ports.h"
#include "../scratch.h"
#include <linux/errno.h>

/* An entry to be filled in, seen now; too large for the stack. Never NULL; the verifier does not know that. */
static __always_inline struct connection *connection_draft(void)
{
	struct scratch *scratch = scratch_get();

	if (!scratch)
		return NULL;
	__builtin_memset(&scratch->connection, 0, sizeof(scratch->connection));
	scratch->connection.last_seen = bpf_ktime_get_coarse_ns();
	return &scratch->connection;
}

/* An opening to be filled in. Never NULL; the verifier does not know that. */
static __always_inline struct opening *opening_draft(void)
{
	struct scratch *scratch = scratch_get();

	if (!scratch)
		return NULL;
	__builtin_memset(&scratch->opening, 0, sizeof(scratch->opening));
	return &scratch->opening;
}

/* A new connection is not established yet. It replaces an earlier connection with the same tuple. */
static __always_inline long connection_begin(const struct tuple *tuple, const struct connection *entry)
{
	bpf_map_delete_elem(&connections, tuple);
	return bpf_map_update_elem(&half_open, tuple, entry, BPF_ANY);
}

enum claim {
	CLAIMED,
	CLAIM_TAKEN, /* another connection has this reply tuple */
	CLAIM_FULL,
};

/* Writes scratch's connection as the entry of `reply`, unless a live entry of another connection has that tuple. If two processors
 * claim a tuple at the same moment, one gets it. */
__global enum claim claim_reply_tuple(const struct tuple *reply, const struct tuple *tuple)
{
	struct scratch *scratch = scratch_get();
	const struct connection *entry;
	struct connection *other;
	bool masqueraded;
	struct tuple key;
	__u64 last_seen;
	long result;

	if (!reply || !tuple || !scratch)
		return CLAIM_FULL;
	key = *reply; /* 6.1 takes no argument of a global function as a map's key */
	entry = &scratch->connection;
	other = connection_lookup(&key);
	if (!other) {
		result = bpf_map_update_elem(&half_open, &key, entry, BPF_NOEXIST);
		return result == -EEXIST ? CLAIM_TAKEN : result ? CLAIM_FULL : CLAIMED;
	}
	last_seen = other->last_seen;
	masqueraded = entry->flags & CONNECTION_MASQUERADED;
	/* Of two echo requests with the same identifier the later one gets the entry, because an identifier is not rewritten. */
	if (!same_connection(other, tuple) && (masqueraded || ((other->flags & CONNECTION_REPLY) && has_ports(tuple))) &&
	    ((masqueraded ? keeps_port(other, tuple->protocol, true) : connection_is_live(other, tuple->protocol)) ||
	     __sync_val_compare_and_swap(&other->last_seen, last_seen, entry->last_seen) != last_seen))
		return CLAIM_TAKEN;
	return connection_begin(&key, entry) ? CLAIM_FULL : CLAIMED;
}

/* Two flows of one client (same source port, two frontends) that reach the same backend would share a reply tuple. The later flow gets
 * another source *port*; the address is never changed. The same holds for a short time after the first flow has closed: the backend may
 * keep its socket in TIME_WAIT, and the client draws its sequence numbers and timestamps per destination, so they could look old to that
 * socket. */
static __always_inline enum outcome write_reply(struct tuple *reply, const struct tuple *tuple, struct connection *entry)
{
	bool masqueraded = entry->flags & CONNECTION_MASQUERADED;

	if (masqueraded && !reply->destination_port)
		return OUTCOME_DROP_PORTS_EXHAUSTED;
	/* Connections through the stack keep their ports: the stack's connection tracking separates flows. */
	if (entry->flags & CONNECTION_VIA_STACK && !masqueraded)
		return connection_begin(reply, entry) ? OUTCOME_DROP_CONNECTION_TABLE_FULL : ALLOWED;
	for (int i = 0; i < PORT_TRIES; i++) {
		switch (claim_reply_tuple(reply, tuple)) {
		case CLAIMED:
			return ALLOWED;
		case CLAIM_FULL:
			return OUTCOME_DROP_CONNECTION_TABLE_FULL;
		default:
			break;
		}
		if (masqueraded) /* another processor was faster: the client sends again */
			break;
		reply->destination_port = bpf_htons(PORT_FIRST + (bpf_get_prandom_u32() & 0x7fff));
		entry->flags |= CONNECTION_TRANSLATED;
	}
	return OUTCOME_DROP_PORT_COLLISION;
}

/* Fills in the fields that are the same in both directions. */
static __always_inline void entry_begin(struct connection *entry, const struct packet *packet, const struct opening *opening)
{
	entry->flags = opening->flags | (packet_is_syn(packet) ? CONNECTION_SYN : 0);
	entry->node = opening->node;
	entry->backend = opening->backend_id;
	entry->service = opening->service;
	entry->policy_revision = opening->policy_revision;
	entry->ends_revision = opening->ends_revision;
	entry->sequence = packet->sequence;
}

/* Writes the direction of the packet that opens the connection. */
static __always_inline enum outcome write_forward(const struct packet *packet, const struct tuple *tuple,
						  const struct opening *opening, struct connection *entry)
{
	entry->packets = 1;
	entry->next = packet->next;
	entry->address = opening->backend;
	entry->port = opening->backend_port;
	entry->origin = opening->origin;
	return connection_begin(tuple, entry) ? OUTCOME_DROP_CONNECTION_TABLE_FULL : ALLOWED;
}

/* Writes a new connection: both directions. Of a forwarded connection it writes only the client's direction, because this node may never
 * see a reply. Returns ALLOWED and leaves the client's direction in scratch's connection and its tuple in scratch's direction; otherwise
 * returns the reason why the connection cannot be opened. */
static __noinline enum outcome connection_open(const struct packet *packet, const struct opening *opening)
{
	struct connection *entry = connection_draft();
	struct scratch *scratch = scratch_get();
	struct tuple *tuple;
	struct tuple reply = {};
	enum outcome written;

	if (!packet || !opening || !entry || !scratch)
		return OUTCOME_DROP_MALFORMED;
	tuple = tuple_as_key(scratch, &packet->tuple);
	entry_begin(entry, packet, opening);
	if (opening->flags & CONNECTION_FORWARDED) {
		entry->peer_port = tuple->source_port;
		return write_forward(packet, tuple, opening, entry);
	}
	reply.source = opening->backend;
	reply.destination = opening->flags & CONNECTION_HAIRPIN	     ? tuple->destination
			    : opening->flags & CONNECTION_MASQUERADED ? opening->node
								      : tuple->source;
	reply.source_port = opening->backend_port;
	reply.destination_port = opening->flags & CONNECTION_MASQUERADED ? opening->port : tuple->source_port;
	reply.protocol = tuple->protocol;

	entry->flags |= CONNECTION_REPLY;
	if (opening->backend_port != tuple->destination_port ||
	    !address_is_equal(&opening->backend, &tuple->destination) || (opening->flags & CONNECTION_MASQUERADED))
		entry->flags |= CONNECTION_TRANSLATED;
	if (opening->flags & CONNECTION_MASQUERADED)
		entry->node = tuple->source;
	entry->address = tuple->destination;
	entry->port = tuple->destination_port;
	entry->peer_port = tuple->source_port;
	entry->next = tuple->protocol == IPPROTO_SCTP ? bpf_ntohl(packet->sequence) : 0;
	written = write_reply(&reply, tuple, entry);
	if (written != ALLOWED)
		return written;
	entry->node = opening->node;
	entry->flags &= ~CONNECTION_REPLY;
	entry->peer_port = reply.destination_port;
	return write_forward(packet, tuple, opening, entry);
}
