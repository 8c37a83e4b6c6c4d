// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/* The host side of a workload's veth pair. Ingress: what the workload sends. Egress: what the host's stack sends to it (kubelet's
 * probes, masqueraded answers, everything that kube-proxy handles). All other packets reach the workload by bpf_redirect_peer. */
#include "apply.h"
#include "bandwidth.h"
#include "decide/after_stack.h"
#include "decide/error.h"
#include "decide/from_host.h"
#include "decide/judge_opening.h"
#include "decide/on_link.h"
#include "decide/open_from_workload.h"
#include "decide/unread.h"
#include "policy/refused.h"
#include "read.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* A packet of a connection whose workload was seen to use its own address. */
static __always_inline bool is_from_origin(const struct connection *connection, const struct __sk_buff *skb)
{
	return connection && connection->origin.interface == skb->ifindex && !connection->origin.node;
}

/* The agent handles services again, and this connection began while kube-proxy did. The stack keeps translating packets that cannot open
 * a connection. They are no longer judged behind the stack, so only a workload without egress policy keeps the connection. */
static __always_inline bool belongs_to_kube_proxy(const struct settings *settings, const struct connection *connection)
{
	return (connection->flags & CONNECTION_JUDGED_LATER) && !is_left_to_host(settings);
}

static __always_inline bool is_egress_isolated(const struct address *workload)
{
	const struct endpoint *endpoint = bpf_map_lookup_elem(&endpoints, workload);

	return !endpoint || (endpoint->flags & ENDPOINT_EGRESS_ISOLATED);
}

static __always_inline void decide_from_workload(struct packet *packet, const struct settings *settings, struct plan *plan)
{
	enum parse_result parsed = read(packet, HOOK_FROM_WORKLOAD);
	__u32 ifindex = packet->skb->ifindex;
	struct connection *connection = NULL;
	const struct workload *workload;
	const struct address *own;

	if (parsed == PARSE_OK) {
		if (is_tunnel_packet(&packet->tuple) && !(settings->flags & SETTINGS_ALLOW_VXLAN_FROM_WORKLOADS))
			return drop(plan, OUTCOME_DROP_TUNNEL_FROM_WORKLOAD);
		if (may_be_refused_again(packet) && refuses_again(packet, &(struct origin){.interface = ifindex}, plan))
			return;
		connection = connection_find(packet);
	}
	if (!is_from_origin(connection, packet->skb) || belongs_to_kube_proxy(settings, connection)) {
		if (decide_unread(packet, parsed, plan))
			return;
		workload = bpf_map_lookup_elem(&interfaces, &ifindex);
		if (!workload)
			return drop(plan, OUTCOME_DROP_UNKNOWN_ENDPOINT);
		own = workload_address(workload, &packet->tuple.source);
		if (address_is_unset(own))
			return drop(plan, OUTCOME_DROP_UNSUPPORTED);
		if (is_on_link(parsed))
			return decide_from_link_of_workload(packet, parsed, own, plan);
		if (!address_is_equal(own, &packet->tuple.source))
			return drop(plan, OUTCOME_DROP_SPOOFED_SOURCE);
		if (parsed == PARSE_FRAGMENT)
			return drop(plan, OUTCOME_DROP_FRAGMENT);
		if (parsed == PARSE_UNTRACKED)
			return drop(plan, OUTCOME_DROP_UNSUPPORTED);
		if (parsed == PARSE_ICMP_ERROR)
			return decide_error_from_workload(packet, settings, own, plan);
		if (connection && is_from_behind_stack(connection, ifindex))
			connection = NULL;
		believe(plan, &(struct origin){.interface = ifindex});
		if (connection && belongs_to_kube_proxy(settings, connection)) {
			if (packet_may_open(packet))
				connection = NULL;
			else if (is_egress_isolated(own))
				return drop(plan, OUTCOME_DROP_POLICY_EGRESS);
		}
		if (!connection) {
			plan->has_origin = packet_may_open(packet);
			open_from_workload(packet, settings, plan);
			return;
		}
	}
	follow(packet, settings, connection, plan);
}

SEC("tc")
int from_workload(struct __sk_buff *skb)
{
	const struct settings *settings = settings_get();
	struct packet packet = {.skb = skb};
	struct plan *plan = plan_begin(skb);

	if (!plan)
		return TC_ACT_SHOT;
	if (!settings) /* no endpoint is known either */
		drop(plan, OUTCOME_DROP_UNKNOWN_ENDPOINT);
	else if (skb->vlan_present)
		drop(plan, OUTCOME_DROP_TAGGED);
	else
		decide_from_workload(&packet, settings, plan);
	settle_to_host(&packet, plan);
	judge_opening(&packet, settings, plan);
	keep_to_bandwidth(&packet, settings, skb->ifindex, DIRECTION_EGRESS, plan);
	return apply(&packet, plan);
}

/* An error from this node's own stack (no route, too big), or an error that the stack let through after masquerading. */
static __always_inline void decide_error_to_workload(struct packet *packet, const struct settings *settings,
						     struct plan *plan)
{
	enum outcome verdict;

	if (pretends_workload(packet->skb, settings, &packet->tuple.source))
		return drop(plan, OUTCOME_DROP_SPOOFED_SOURCE);
	verdict = relate_error(packet, settings, NULL, plan);
	if (!is_endpoint_of(packet->skb, translated_destination(packet, plan)))
		return drop(plan, OUTCOME_DROP_UNKNOWN_ENDPOINT);
	if (verdict != ALLOWED && !is_made_here(packet->skb, settings, &packet->tuple.source))
		return drop(plan, verdict);
	send(plan, EXIT_PASS, OUTCOME_TO_ENDPOINT);
}

/* A packet of an unknown flow, or of a flow that the stack handles: judged here, by the sender that it had before the stack. */
static __always_inline void decide_request_to_workload(struct packet *packet, const struct settings *settings,
						       struct connection *connection, struct plan *plan)
{
	struct scratch *scratch = scratch_get();
	struct opening *opening;

	if (!scratch)
		return drop(plan, OUTCOME_DROP_MALFORMED);
	if (packet->is_answer && !connection)
		return drop(plan, OUTCOME_DROP_UNRELATED);
	begin_verdict(settings, scratch);
	if (refuses_after_stack(packet, PARSE_OK, plan))
		return;
	if (connection) {
		believe_stack(plan, packet->skb, connection);
		along(packet, connection, plan); /* another flow of this client may have its port at this workload */
	} else {
		opening = begin_opening(plan);
		if (!opening)
			return;
		opening->backend = packet->tuple.destination;
		opening->backend_port = packet->tuple.destination_port;
		note_verdict(settings, scratch, &opening->policy_revision, &opening->ends_revision);
		opening->flags = is_left_to_host(settings) ? CONNECTION_VIA_STACK : 0;
		opening->origin = origin_before_stack(packet->skb);
	}
	send(plan, EXIT_PASS, OUTCOME_TO_ENDPOINT);
}

static __always_inline void decide_reply_to_workload(struct packet *packet, const struct settings *settings,
						     struct connection *connection, struct plan *plan)
{
	enum outcome verdict;

	trace_known(connection);
	verdict = judge_again(packet->skb, &packet->tuple, settings, connection);
	if (verdict != ALLOWED)
		return drop(plan, verdict);
	believe_stack(plan, packet->skb, connection);
	along(packet, connection, plan);
	send(plan, EXIT_PASS, OUTCOME_TO_ENDPOINT);
}

static __always_inline void decide_to_workload(struct packet *packet, const struct settings *settings, struct plan *plan)
{
	struct __sk_buff *skb = packet->skb;
	struct connection *connection;

	switch (read(packet, HOOK_TO_WORKLOAD)) {
	case PARSE_OK:
		break;
	case PARSE_NOT_IP:
		return pass_to_stack(plan);
	case PARSE_DISCOVERY:
	case PARSE_ROUTER: /* discovery is not routed */
		return skb->ingress_ifindex ? drop(plan, OUTCOME_DROP_UNSUPPORTED) : pass_to_stack(plan);
	case PARSE_ICMP_ERROR:
		return decide_error_to_workload(packet, settings, plan);
	case PARSE_FRAGMENT:
		return drop(plan, OUTCOME_DROP_FRAGMENT);
	default:
		return drop(plan, OUTCOME_DROP_UNSUPPORTED);
	}
	connection = connection_find(packet);
	if ((!connection || connection->origin.interface != skb->ingress_ifindex) &&
	    pretends_workload(skb, settings, &packet->tuple.source))
		return drop(plan, OUTCOME_DROP_SPOOFED_SOURCE);
	if (connection && (connection->flags & CONNECTION_REPLY))
		return decide_reply_to_workload(packet, settings, connection, plan);
	/* Whether the node itself sent the packet. A packet with an ingress interface has another sender, which kube-proxy's rules
	 * masqueraded. */
	if (is_made_here(skb, settings, &packet->tuple.source)) {
		decide_from_host_to_workload(packet, settings, connection, plan);
		return send(plan, EXIT_PASS, OUTCOME_TO_ENDPOINT);
	}
	if (!is_endpoint_of(skb, &packet->tuple.destination))
		return drop(plan, OUTCOME_DROP_UNKNOWN_ENDPOINT);
	decide_request_to_workload(packet, settings, connection, plan);
}

SEC("tc")
int to_workload(struct __sk_buff *skb)
{
	const struct settings *settings = settings_get();
	struct packet packet = {.skb = skb};
	struct plan *plan = plan_begin(skb);

	if (!plan)
		return TC_ACT_SHOT;
	if (settings)
		decide_to_workload(&packet, settings, plan);
	else /* no endpoint is known either */
		drop(plan, OUTCOME_DROP_UNKNOWN_ENDPOINT);
	keep_to_bandwidth(&packet, settings, skb->ifindex, DIRECTION_INGRESS, plan);
	return apply(&packet, plan);
}
