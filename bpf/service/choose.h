/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../maps/services.h"
#include "../net/packet.h"
#include "../shared/settings.h"
#include "../locate.h"
#include "maglev.h"
#include "secret_hash.h"

/* Which of a service's backends may be chosen. */
enum reach {
	REACH_ANY,   /* the slots from cluster_first */
	REACH_LOCAL, /* only those of this node: the slots before local_count */
};

/* A node port applies to every address of every node, in the family of `address`. */
static __always_inline const struct service *node_port_find(const struct address *address, __be16 port, __u8 protocol)
{
	struct frontend key = {.port = port, .protocol = protocol};

	key.address.word[3] = bpf_htonl(ANY_NODE | ip_version(address));
	return bpf_map_lookup_elem(&frontends, &key);
}

/* The service that has this address for itself. */
static __always_inline const struct service *address_service_find(const struct address *address, __be16 port, __u8 protocol)
{
	struct frontend key = {.address = *address, .port = port, .protocol = protocol};

	return bpf_map_lookup_elem(&frontends, &key);
}

/* Whether the address could be a service's own, by its location: an address of a node or workload is not, so packets to it need no
 * further lookup. */
static __always_inline bool may_be_cluster_address(__u32 location_flags)
{
	return !(location_flags & (LOCATION_LOCAL_HOST | LOCATION_REMOTE_HOST | LOCATION_POOL));
}

/* Whether this is the cluster address of a service that this node knows. No other host has any of its ports. */
static __always_inline bool is_cluster_address(const struct address *address)
{
	return address_service_find(address, OTHER_PORTS, OTHER_PORTS);
}

/* Whether it is an address of a node at which node ports answer. */
static __always_inline bool has_node_ports(__u32 location_flags)
{
	return (location_flags & (LOCATION_LOCAL_HOST | LOCATION_REMOTE_HOST)) && !(location_flags & LOCATION_WITHOUT_NODE_PORTS);
}

/* The service that answers with a node port at an address that is not a service's own; NULL: none. The location of the destination is
 * left in `location`: most packets of no service need it again, and its lookup is expensive. */
static __always_inline const struct service *node_port_or_location(const struct address *address, __be16 port, __u8 protocol,
								   const struct location **location)
{
	*location = locate(address);
	return has_node_ports(location_flags(*location)) ? node_port_find(address, port, protocol) : NULL;
}

/* Whether a sender of this node uses another node's port that serves only that node's backends (externalTrafficPolicy: Local). Only that
 * node knows these backends, so the packet goes there untranslated, as with kube-proxy. */
static __always_inline bool is_decided_there(const struct service *node_port, __u32 location_flags)
{
	return node_port && (node_port->flags & SERVICE_EXTERNAL_LOCAL) && (location_flags & LOCATION_REMOTE_HOST);
}

/* The service that answers at this destination; NULL: an ordinary address. */
static __always_inline const struct service *service_find(const struct address *address, __be16 port, __u8 protocol)
{
	const struct service *service = address_service_find(address, port, protocol);
	const struct location *location;

	return service ? service : node_port_or_location(address, port, protocol, &location);
}

/* Whether node ports answer at the node's own loopback. 0.0.0.0 and 127.0.0.0/8 are one address here: 127.0.0.1. */
static __always_inline bool loopback_has_node_ports(const struct address *loopback)
{
	struct address own = loopback_of(loopback);

	return has_node_ports(location_flags(locate(&own)));
}

/* The service at the node's own loopback: a pod's host port, or a node port. */
static __always_inline const struct service *loopback_find(const struct address *loopback, __be16 port,
							   __u8 protocol)
{
	struct frontend key = {.port = port, .protocol = protocol};
	const struct service *service;

	key.address.word[3] = bpf_htonl(NODE_LOOPBACK | ip_version(loopback));
	service = bpf_map_lookup_elem(&frontends, &key);
	if (service)
		return service;
	return loopback_has_node_ports(loopback) ? node_port_find(loopback, port, protocol) : NULL;
}

static __always_inline bool is_handled_here(const struct service *service, const struct settings *settings)
{
	return settings->service_handling != SERVICES_LEFT_TO_HOST || (service->flags & SERVICE_HOST_PORT);
}

/* The backend that a client with affinity was given before; 0: none. @param ended if the affinity has expired: when it was last used */
static __always_inline __u32 affine_backend(const struct service *service, const struct affinity_key *key, __u32 *ended)
{
	const struct affinity *affinity = bpf_map_lookup_elem(&affinities, key);
	__u64 age;

	if (!affinity)
		return 0;
	age = bpf_ktime_get_ns() - affinity->last_used;
	if (age < service->affinity_seconds * 1000000000ULL)
		return affinity->backend;
	*ended = affinity->last_used;
	return 0;
}

/* The state of a backend in the service's list (enum membership); NULL: it is not in the list. */
static __always_inline const __u32 *membership_of(const struct service *service, __u32 backend)
{
	struct member key = {.backend_list = service->backend_list, .backend = backend};

	return bpf_map_lookup_elem(&members, &key);
}

static __always_inline bool is_member(const struct service *service, __u32 backend)
{
	return membership_of(service, backend);
}

static __always_inline const struct backend *backend_in_reach(__u32 id, enum reach reach)
{
	const struct backend *backend = bpf_map_lookup_elem(&backends, &id);

	if (!backend || (reach == REACH_LOCAL && !(backend->flags & BACKEND_LOCAL)))
		return NULL;
	return backend;
}

/* A backend that a packet or socket was given before; NULL: it is out of reach, or the service no longer has it. */
static __always_inline const struct backend *backend_within_reach(const struct service *service, __u32 id, enum reach reach)
{
	return is_member(service, id) ? backend_in_reach(id, reach) : NULL;
}

/* The backend that a client with affinity was given before; NULL: new connections may not get it. A client with affinity, too, leaves a
 * backend whose hints now name other zones. */
static __always_inline const struct backend *backend_kept(const struct service *service, __u32 id, enum reach reach)
{
	const __u32 *membership = membership_of(service, id);

	return membership && *membership == MEMBER_CHOSEN ? backend_in_reach(id, reach) : NULL;
}

/* The index of one of `count` backends: the same for each packet of a connection; with affinity, the same for all connections of a
 * client. For a socket, whose port is not known yet, it is random: the socket remembers the backend itself. @param ended if the client's
 * affinity has expired: when; its next choice is another one. 0: it has not */
static __always_inline __u32 choice_of(const struct service *service, const struct tuple *flow, const struct address *client,
				       __u32 ended, __u32 count)
{
	if (service->flags & SERVICE_AFFINITY)
		return secret_hash(NULL, client, service->backend_list + ended) % count;
	return (flow ? secret_hash(flow, client, 0) : bpf_get_prandom_u32()) % count;
}

/* The flow on which the choice of a backend depends; NULL: the choice is random, so that a client that was refused and tries again with
 * the same ports may reach another backend. A Maglev table has such a choice of its own. */
static __always_inline const struct tuple *chosen_for(const struct packet *packet, const struct service *service)
{
	return packet->is_tried_again && !service->table_size ? NULL : &packet->tuple;
}

/* Chooses a backend for a new connection of `client`: the backend that it was given before, if the service has affinity and the backend
 * is still within reach; otherwise the one of the service's Maglev table; otherwise any. The caller records the affinity (affinity.h).
 * Returns the backend's id; 0: there is none. The backend is left in `chosen`. @param flow the connection; NULL: any backend, for a
 * socket, whose choice no other node has to repeat, or for a client that tries again */
static __always_inline __u32 choose_backend(const struct service *service, const struct tuple *flow,
					    const struct address *client, enum reach reach, const struct backend **chosen)
{
	__u32 first = reach == REACH_LOCAL ? 0 : service->cluster_first;
	__u32 count = reach == REACH_LOCAL ? service->local_count : service->backend_count - first;
	struct affinity_key key = {.client = *client, .backend_list = service->backend_list};
	const struct backend *backend;
	struct slot slot = {.backend_list = service->backend_list};
	const __u32 *found;
	__u32 id, ended = 0;

	if (service->flags & SERVICE_AFFINITY) {
		id = affine_backend(service, &key, &ended);
		backend = id ? backend_kept(service, id, reach) : NULL;
		if (backend) {
			*chosen = backend;
			return id;
		}
	}
	if (!count)
		return 0;
	if (flow && reach == REACH_ANY && service->table_size)
		slot.index = TABLE_FIRST + flow_hash(flow, service->flags & SERVICE_AFFINITY) % service->table_size;
	else
		slot.index = first + choice_of(service, flow, client, ended, count);
	found = bpf_map_lookup_elem(&slots, &slot);
	if (!found)
		return 0;
	id = *found;
	backend = bpf_map_lookup_elem(&backends, &id);
	if (!backend)
		return 0;
	*chosen = backend;
	return id;
}
