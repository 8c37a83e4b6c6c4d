// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/* The host side of a workload's veth pair. Ingress: what the workload sends. Egress: what the host's stack hands
 * to it (kubelet's probes, answers that were masqueraded, all that kube-proxy handles); all else reaches it by
 * bpf_redirect_peer. */
#include "decide/open.h"
#include "decide/error.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Leaves the cluster from a pool with natOutgoing: the kernel masquerades it. */
static __always_inline __u32 outgoing_flag(const struct tuple *tuple)
{
	__u32 to = location_flags(locate(&tuple->destination));

	if (to & (LOCATION_POOL | LOCATION_LOCAL_HOST | LOCATION_REMOTE_HOST))
		return 0;
	return location_flags(locate(&tuple->source)) & LOCATION_NAT_OUTGOING ? CONNECTION_VIA_STACK : 0;
}

/* Apart: its caller's stack is full. */
static __noinline int open_from_workload(struct packet *packet, const struct settings *settings)
{
	const struct service *service;
	struct arrival arrival = {};

	if (!packet || !settings)
		return TC_ACT_SHOT;
	service = service_opened_by(packet);
	if (service && is_handled_here(service, settings))
		return open_service(packet, settings, service, &arrival);
	if (service)
		return open_plain(packet, settings, CONNECTION_VIA_STACK | CONNECTION_JUDGED_LATER);
	if (is_local_host(settings, &packet->tuple.destination))
		return pass_to_stack(packet->skb);
	return open_plain(packet, settings,
			  is_left_to_host(settings) ? CONNECTION_VIA_STACK : outgoing_flag(&packet->tuple));
}

/* A packet of a connection whose workload was seen to use its own address. */
static __always_inline bool is_from_origin(const struct connection *connection, const struct __sk_buff *skb)
{
	return connection && connection->origin.interface == skb->ifindex && !connection->origin.node;
}

/* What the stack hands on came from there, but under another source perhaps: a workload whose packets it masqueraded must not
 * send under that one itself. Noted when the packet was judged, not before. */
static __always_inline void note_origin_before_stack(struct origin *origin, const struct __sk_buff *skb)
{
	if (origin->interface == skb->ingress_ifindex && origin->interface)
		return;
	origin->node = ORIGIN_BEFORE_STACK;
	origin->interface = skb->ingress_ifindex;
}

/* Services are ours again, and this connection began while they were kube-proxy's. The stack goes on translating what
 * cannot open a connection; that is no longer judged on its way out, so only a workload without egress policy keeps it. */
static __always_inline bool is_kube_proxys(const struct settings *settings, const struct connection *connection)
{
	return (connection->flags & CONNECTION_JUDGED_LATER) && !is_left_to_host(settings);
}

static __always_inline bool is_egress_isolated(const struct address *workload)
{
	const struct endpoint *endpoint = bpf_map_lookup_elem(&endpoints, workload);

	return !endpoint || (endpoint->flags & ENDPOINT_EGRESS_ISOLATED);
}

SEC("tc")
int from_workload(struct __sk_buff *skb)
{
	const struct settings *settings = settings_get();
	__u32 ifindex = skb->ifindex;
	const struct address *own;
	struct connection *connection = NULL;
	enum parse_result parsed;
	struct packet packet;

	if (!settings) /* nor is any endpoint known */
		return drop(skb, OUTCOME_DROP_UNKNOWN_ENDPOINT);
	if (skb->vlan_present)
		return drop(skb, OUTCOME_DROP_TAGGED);
	parsed = parse(skb, &packet, HOOK_FROM_WORKLOAD);
	if (parsed == PARSE_OK) {
		if (is_vxlan(&packet.tuple) && !(settings->flags & SETTINGS_ALLOW_VXLAN_FROM_WORKLOADS))
			return drop(skb, OUTCOME_DROP_TUNNEL_FROM_WORKLOAD);
		connection = connection_find(&packet);
		if (is_from_origin(connection, skb) && !is_kube_proxys(settings, connection))
			return follow(&packet, settings, connection);
	}
	if (parsed == PARSE_NOT_IP)
		return skb->protocol == bpf_htons(ETH_P_ARP) ? pass_to_stack(skb)
							      : drop(skb, OUTCOME_DROP_UNSUPPORTED);
	if (parsed == PARSE_IPV6)
		return drop(skb, OUTCOME_DROP_UNSUPPORTED);
	if (parsed == PARSE_MALFORMED)
		return drop(skb, OUTCOME_DROP_MALFORMED);
	own = bpf_map_lookup_elem(&interfaces, &ifindex);
	if (!own)
		return drop(skb, OUTCOME_DROP_UNKNOWN_ENDPOINT);
	if (!address_is_equal(own, &packet.tuple.source))
		return drop(skb, OUTCOME_DROP_SPOOFED_SOURCE);
	if (parsed == PARSE_FRAGMENT)
		return drop(skb, OUTCOME_DROP_FRAGMENT);
	if (parsed == PARSE_UNTRACKED)
		return drop(skb, OUTCOME_DROP_UNSUPPORTED);
	if (parsed == PARSE_ICMP_ERROR)
		return relay_error_from_workload(&packet, settings, own);
	if (!connection || is_from_behind_stack(connection, ifindex))
		return open_from_workload(&packet, settings);
	connection->origin = (struct origin){.interface = ifindex};
	if (is_kube_proxys(settings, connection)) {
		if (packet_may_open(&packet))
			return open_from_workload(&packet, settings);
		if (is_egress_isolated(own))
			return drop(skb, OUTCOME_DROP_POLICY_EGRESS);
	}
	return follow(&packet, settings, connection);
}

/* What this node's own stack made; what it passes on came in by an interface. */
static __always_inline bool is_made_here(const struct __sk_buff *skb, const struct settings *settings,
					 const struct address *source)
{
	return !skb->ingress_ifindex && is_local_host(settings, source);
}

static __always_inline bool is_endpoint_of(const struct __sk_buff *skb, const struct address *address)
{
	const struct endpoint *endpoint = bpf_map_lookup_elem(&endpoints, address);

	return endpoint && endpoint->ifindex == skb->ifindex;
}

/* Workloads' packets pass the stack only where it handles services, and are believed where they enter this node. Other
 * interfaces than the uplinks have no program that asks. */
static __always_inline bool pretends_workload(const struct __sk_buff *skb, const struct settings *settings,
					      const struct address *source)
{
	return skb->ingress_ifindex && !is_left_to_host(settings) && !sender_before_stack(skb) && is_workload(source);
}

/* An error from this node's own stack (no route, too big), or one that it let through after masquerading. */
static __always_inline int error_to_workload(struct packet *packet, const struct settings *settings)
{
	enum outcome verdict;

	if (pretends_workload(packet->skb, settings, &packet->tuple.source))
		return drop(packet->skb, OUTCOME_DROP_SPOOFED_SOURCE);
	verdict = relate_error(packet, settings, related_draft());
	if (!is_endpoint_of(packet->skb, &packet->tuple.destination))
		return drop(packet->skb, OUTCOME_DROP_UNKNOWN_ENDPOINT);
	if (verdict == OUTCOME_TO_NETWORK || is_made_here(packet->skb, settings, &packet->tuple.source))
		return finish(packet->skb, OUTCOME_TO_ENDPOINT, TC_ACT_OK);
	return drop(packet->skb, verdict);
}

SEC("tc")
int to_workload(struct __sk_buff *skb)
{
	const struct settings *settings = settings_get();
	struct connection *connection;
	struct opening *opening;
	struct packet packet;
	enum outcome verdict;
	__be16 peer_port;
	__u32 revision;

	if (!settings) /* nor is any endpoint known */
		return drop(skb, OUTCOME_DROP_UNKNOWN_ENDPOINT);
	switch (parse(skb, &packet, HOOK_TO_WORKLOAD)) {
	case PARSE_OK:
		break;
	case PARSE_NOT_IP:
		return pass_to_stack(skb);
	case PARSE_ICMP_ERROR:
		return error_to_workload(&packet, settings);
	case PARSE_FRAGMENT:
		return drop(skb, OUTCOME_DROP_FRAGMENT);
	default:
		return drop(skb, OUTCOME_DROP_UNSUPPORTED);
	}
	connection = connection_find(&packet);
	if ((!connection || connection->origin.interface != skb->ingress_ifindex) &&
	    pretends_workload(skb, settings, &packet.tuple.source))
		return drop(skb, OUTCOME_DROP_SPOOFED_SOURCE);
	if (connection && (connection->flags & CONNECTION_REPLY)) {
		trace_known(connection);
		verdict = judge_again(&packet.tuple, settings, connection);
		if (verdict != OUTCOME_TO_ENDPOINT)
			return drop(skb, verdict);
		note_origin_before_stack(&connection->origin, skb);
		connection_touch(connection, &packet);
		if ((connection->flags & CONNECTION_TRANSLATED) && translate_reply(&packet, connection))
			return drop(skb, OUTCOME_DROP_MALFORMED);
		return finish(skb, OUTCOME_TO_ENDPOINT, TC_ACT_OK);
	}
	/* The node itself. What came in by an interface is somebody else's, whom kube-proxy's rules masqueraded. */
	if (is_made_here(skb, settings, &packet.tuple.source)) {
		remember_host_request(settings, &packet.tuple);
		return finish(skb, OUTCOME_TO_ENDPOINT, TC_ACT_OK);
	}
	if (!is_endpoint_of(skb, &packet.tuple.destination))
		return drop(skb, OUTCOME_DROP_UNKNOWN_ENDPOINT);
	revision = revision_to_judge_by(settings);
	verdict = judge_after_stack(skb, &packet.tuple);
	if (verdict != OUTCOME_TO_ENDPOINT)
		return drop_flow(skb, verdict, &packet.tuple);
	if (!connection) {
		opening = opening_draft();
		if (!opening)
			return drop(skb, OUTCOME_DROP_CONNECTION_TABLE_FULL);
		opening->backend = packet.tuple.destination;
		opening->backend_port = packet.tuple.destination_port;
		opening->policy_revision = revision;
		opening->flags = is_left_to_host(settings) ? CONNECTION_VIA_STACK : 0;
		note_origin_before_stack(&opening->origin, skb);
		verdict = connection_open(&packet, opening);
		if (verdict != OUTCOME_TO_ENDPOINT)
			return drop(skb, verdict);
		report_opened(&packet.tuple, skb->ifindex);
		peer_port = opening->peer_port;
	} else {
		note_origin_before_stack(&connection->origin, skb);
		connection_touch(connection, &packet);
		peer_port = connection->peer_port;
	}
	/* Another flow of this client has its port at this workload. */
	if (peer_port != packet.tuple.source_port) {
		struct address own = packet.tuple.destination;

		if (translate_forward(&packet, &own, packet.tuple.destination_port, peer_port, 0))
			return drop(skb, OUTCOME_DROP_MALFORMED);
	}
	return finish(skb, OUTCOME_TO_ENDPOINT, TC_ACT_OK);
}
