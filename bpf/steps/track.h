/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "choose.h"

#define SECOND 1000000000ULL
#define TIMEOUT_TCP_ESTABLISHED (7440 * SECOND) /* RFC 5382, REQ-5: not less than 2 hours 4 minutes */
#define TIMEOUT_TCP_OPENING (60 * SECOND)
#define TIMEOUT_TCP_ONE_FIN (240 * SECOND) /* RFC 5382, REQ-5: 4 minutes in transitory states */
#define TIMEOUT_TCP_CLOSED (120 * SECOND) /* longer than the backend's TIME_WAIT: see claim_reply_tuple */
#define TIMEOUT_UDP_ANSWERED (180 * SECOND)
#define TIMEOUT_UDP (60 * SECOND)
#define TIMEOUT_ICMP (30 * SECOND)

static __always_inline __u64 connection_timeout(const struct connection *connection, __u8 protocol)
{
	if (protocol == IPPROTO_UDP)
		return connection->flags & CONNECTION_ANSWERED ? TIMEOUT_UDP_ANSWERED : TIMEOUT_UDP;
	if (protocol != IPPROTO_TCP)
		return TIMEOUT_ICMP;
	if (connection->flags & CONNECTION_CLOSED)
		return TIMEOUT_TCP_CLOSED;
	if (connection->flags & CONNECTION_SYN)
		return TIMEOUT_TCP_OPENING;
	if (connection->flags & CONNECTION_FIN)
		return TIMEOUT_TCP_ONE_FIN;
	return TIMEOUT_TCP_ESTABLISHED;
}

static __always_inline bool connection_is_live(const struct connection *connection, __u8 protocol)
{
	return bpf_ktime_get_ns() - connection->last_seen < connection_timeout(connection, protocol);
}

/* The entry under which the other direction of `tuple`'s connection is found. */
static __always_inline struct tuple opposite(const struct tuple *tuple, const struct connection *connection)
{
	struct tuple other = {
		.source = tuple->destination,
		.destination = tuple->source,
		.source_port = tuple->destination_port,
		.destination_port = tuple->source_port,
		.protocol = tuple->protocol,
	};

	if (connection->flags & CONNECTION_FORWARDED)
		return other;
	if (connection->flags & CONNECTION_REPLY) {
		other.source_port = connection->peer_port;
		other.source = tuple->destination;
		other.destination = connection->address;
		other.destination_port = connection->port;
		return other;
	}
	other.source = connection->address;
	other.source_port = connection->port;
	other.destination_port = connection->peer_port;
	return other;
}

/* A direction that is silent while the other one talks (a UDP stream) is not over. */
static __noinline bool opposite_is_live(const struct tuple *tuple, const struct connection *connection)
{
	const struct connection *other;
	struct tuple key;

	if (!tuple || !connection)
		return false;
	key = opposite(tuple, connection);
	other = bpf_map_lookup_elem(&connections, &key);
	return other && (other->flags & CONNECTION_REPLY) != (connection->flags & CONNECTION_REPLY) &&
	       connection_is_live(other, tuple->protocol);
}

/* Only the rare packets (first answer, FIN, RST) touch the other direction's entry. */
static __noinline int tell_other_direction(const struct tuple *tuple, struct connection *connection, bool closing, bool reset)
{
	struct connection *other;
	struct tuple key;

	if (!tuple || !connection)
		return 0;
	key = opposite(tuple, connection);
	other = bpf_map_lookup_elem(&connections, &key);
	if (reset)
		connection->flags |= CONNECTION_CLOSED;
	if (!other)
		return 0;
	other->flags |= CONNECTION_ANSWERED;
	if (reset || (closing && (other->flags & CONNECTION_FIN))) {
		connection->flags |= CONNECTION_CLOSED;
		other->flags |= CONNECTION_CLOSED;
	}
	return 0;
}

/* Notes that a packet of this connection passed. */
static __always_inline void connection_touch(struct connection *connection, const struct packet *packet)
{
	bool closing = packet->tcp_flags & (TCP_FIN | TCP_RST);
	bool first_answer = (connection->flags & CONNECTION_REPLY) && !connection->packets;

	connection->last_seen = bpf_ktime_get_ns();
	connection->packets++;
	if ((connection->flags & CONNECTION_SYN) && !packet_is_syn(packet))
		connection->flags &= ~CONNECTION_SYN;
	if (!closing && !first_answer)
		return;
	if (closing)
		connection->flags |= CONNECTION_FIN;
	tell_other_direction(&packet->tuple, connection, closing, packet->tcp_flags & TCP_RST);
}

/* The backend left the cluster, or the service no longer has it. A datagram has no connection to lose: for UDP a
 * draining backend is gone too. */
static __always_inline bool backend_is_gone(const struct connection *connection, __u8 protocol)
{
	__u32 id = connection->backend;
	const struct backend *backend;

	if (!id || (connection->flags & CONNECTION_REPLY))
		return false;
	backend = bpf_map_lookup_elem(&backends, &id);
	return !backend || (protocol != IPPROTO_TCP && (backend->flags & BACKEND_DRAINING));
}

/* The live connection a packet belongs to, or NULL: the packet opens a new one. A SYN starts anew whatever entry it
 * meets, unless that one has seen nothing but this SYN (a retransmission must reach the same backend). What may open a
 * connection and finds its backend gone is given another. */
static __always_inline struct connection *connection_find(const struct packet *packet)
{
	struct connection *connection = bpf_map_lookup_elem(&connections, &packet->tuple);

	if (!connection)
		return NULL;
	if (!connection_is_live(connection, packet->tuple.protocol) && !opposite_is_live(&packet->tuple, connection))
		return NULL;
	if (packet_is_syn(packet) &&
	    (connection->flags & (CONNECTION_SYN | CONNECTION_REPLY)) != CONNECTION_SYN)
		return NULL;
	if (packet_may_open(packet) && backend_is_gone(connection, packet->tuple.protocol))
		return NULL;
	return connection;
}

/* What a new connection is to become; the packet path fills it and `connection_open` writes both directions. */
struct opening {
	struct address backend; /* where it goes after translation; the destination itself without a service */
	struct address entry;	/* CONNECTION_VIA_ENTRY: the node that replies go back to */
	__be16 backend_port;
	__be16 peer_port; /* source port shown to the backend; filled by connection_open */
	__u32 backend_id;
	__u32 flags; /* CONNECTION_VIA_ENTRY, _DIRECT_RETURN, _HOST_BACKEND, _VIA_STACK */
	__u32 policy_revision;
};

static __always_inline bool same_connection(const struct connection *reply, const struct tuple *tuple)
{
	return (reply->flags & CONNECTION_REPLY) && reply->port == tuple->destination_port &&
	       reply->peer_port == tuple->source_port && address_is_equal(&reply->address, &tuple->destination);
}

#define PORT_TRIES 8
#define PORT_FIRST 32768

/* Two flows of one client (same source port, two frontends) that meet at one backend would share a reply tuple.
 * The later one gets another source *port*; the address is never touched. That holds also shortly after the first one
 * has closed: the backend may keep its socket in TIME_WAIT, and the client's sequence numbers and timestamps, which it
 * draws per destination, would look old to it. False: no free port was found. */
static __always_inline bool claim_reply_tuple(struct tuple *reply, const struct tuple *tuple)
{
#pragma unroll
	for (int i = 0; i < PORT_TRIES; i++) {
		const struct connection *other = bpf_map_lookup_elem(&connections, reply);

		if (!other || same_connection(other, tuple) || !(other->flags & CONNECTION_REPLY) ||
		    !connection_is_live(other, tuple->protocol))
			return true;
		if (tuple->protocol == IPPROTO_ICMP)
			return true; /* an echo identifier is not ours to change: the later flow wins */
		reply->destination_port = bpf_htons(PORT_FIRST + (bpf_get_prandom_u32() & 0x7fff));
	}
	return false;
}

/* Writes both directions of a new connection. Returns OUTCOME_TO_ENDPOINT, or the reason why it cannot be. */
static __noinline enum outcome connection_open(const struct tuple *tuple, struct opening *opening, bool syn)
{
	struct connection entry = {};
	struct tuple reply = {};

	if (!tuple || !opening)
		return OUTCOME_DROP_MALFORMED;
	reply.source = opening->backend;
	reply.destination = tuple->source;
	reply.source_port = opening->backend_port;
	reply.destination_port = tuple->source_port;
	reply.protocol = tuple->protocol;
	if (!claim_reply_tuple(&reply, tuple))
		return OUTCOME_DROP_PORT_COLLISION;
	opening->peer_port = reply.destination_port;

	entry.last_seen = bpf_ktime_get_ns();
	entry.flags = opening->flags | CONNECTION_REPLY | (syn ? CONNECTION_SYN : 0);
	if (opening->backend_port != tuple->destination_port || opening->peer_port != tuple->source_port ||
	    !address_is_equal(&opening->backend, &tuple->destination))
		entry.flags |= CONNECTION_TRANSLATED;
	entry.address = tuple->destination;
	entry.port = tuple->destination_port;
	entry.peer_port = tuple->source_port;
	entry.node = opening->entry;
	entry.backend = opening->backend_id;
	entry.policy_revision = opening->policy_revision;
	if (bpf_map_update_elem(&connections, &reply, &entry, BPF_ANY))
		return OUTCOME_DROP_CONNECTION_TABLE_FULL;

	entry.flags &= ~CONNECTION_REPLY;
	entry.packets = 1;
	entry.address = opening->backend;
	entry.port = opening->backend_port;
	entry.peer_port = opening->peer_port;
	if (bpf_map_update_elem(&connections, tuple, &entry, BPF_ANY))
		return OUTCOME_DROP_CONNECTION_TABLE_FULL;
	return OUTCOME_TO_ENDPOINT;
}

/* The entry node's side of a connection whose backend is elsewhere: one entry, since it may never see a reply. */
static __always_inline enum outcome connection_open_forwarded(const struct packet *packet, const struct backend *backend,
							      __u32 backend_id, __u32 return_flag)
{
	struct connection entry = {
		.last_seen = bpf_ktime_get_ns(),
		.packets = 1,
		.address = backend->address,
		.port = backend->port,
		.peer_port = packet->tuple.source_port,
		.node = backend->node,
		.flags = CONNECTION_FORWARDED | return_flag | (packet_is_syn(packet) ? CONNECTION_SYN : 0),
		.backend = backend_id,
	};

	if (bpf_map_update_elem(&connections, &packet->tuple, &entry, BPF_ANY))
		return OUTCOME_DROP_CONNECTION_TABLE_FULL;
	return OUTCOME_FORWARD_SERVICE;
}
