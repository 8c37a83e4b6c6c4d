// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/* A node's uplink. Ingress: packets of clients and other nodes to services, workloads and the node itself. Egress: replies of backends
 * that run in the node's own network, and errors about packets to them; while the host's stack handles services, also the packets that
 * workloads send through it. */
#include "apply.h"
#include "decide/after_stack.h"
#include "decide/encrypted.h"
#include "decide/error.h"
#include "decide/from_host.h"
#include "decide/host_backend.h"
#include "decide/judge_opening.h"
#include "decide/on_link.h"
#include "decide/outgoing.h"
#include "decide/own_request.h"
#include "decide/unread.h"
#include "decide/untracked.h"
#include "decide/wrapped.h"
#include "policy/refused.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* A packet of the tunnel to this node. It is unwrapped here if possible, otherwise by the kernel's device, if there is one; from_tunnel
 * then makes the same checks. */
static __always_inline void decide_tunnel(struct packet *packet, const struct settings *settings, struct plan *plan)
{
	struct scratch *scratch = scratch_get();

	if (!scratch || !is_wrapped_for_us(packet, settings))
		return drop(plan, OUTCOME_DROP_UNKNOWN_TUNNEL_PEER);
	if (encrypts(settings))
		return drop(plan, OUTCOME_DROP_NOT_ENCRYPTED);
	if (unwrap(packet, &scratch->wrapping)) {
		if (scratch->wrapping.kind == TUNNEL_OVERLAY) /* of a client's packet it is the uplink */
			scratch->interface = settings->tunnel_ifindex;
		return decide_wrapped(packet, settings, &scratch->wrapping, HOOK_FROM_UPLINK, plan);
	}
	if (!has_device(&packet->tuple))
		return drop(plan, is_fragment(packet->skb) ? OUTCOME_DROP_FRAGMENT : OUTCOME_DROP_MALFORMED);
	if (frame_is_from(packet->skb, &packet->tuple.source))
		return pass_to_stack(plan);
	drop(plan, OUTCOME_DROP_UNKNOWN_TUNNEL_PEER);
}

static __always_inline void decide_from_uplink(struct packet *packet, const struct settings *settings, struct plan *plan)
{
	enum parse_result parsed = read(packet, HOOK_FROM_UPLINK);
	struct connection *connection = NULL;
	struct origin origin = {};
	enum outcome verdict;

	if (parsed == PARSE_NOT_IP)
		return decide_neighbour(read_arp(packet->skb), plan);
	if (parsed == PARSE_MALFORMED)
		return drop(plan, OUTCOME_DROP_MALFORMED);
	if (is_on_link(parsed))
		return decide_from_link_of_uplink(packet, parsed, plan);
	if (is_for_many(&packet->tuple.destination))
		return pass_to_stack(plan);
	if (is_from_tunnel(&packet->tuple) && is_local_host(settings, &packet->tuple.destination))
		return decide_tunnel(packet, settings, plan);
	if (encrypts(settings) && decide_encrypted(packet, settings, parsed, plan))
		return;
	if (is_asked_untracked(settings, parsed) && decide_untracked(packet, settings, DIRECTION_INGRESS, plan))
		return;
	if (parsed == PARSE_OK) {
		origin = origin_of_frame(packet->skb);
		if (may_be_refused_again(packet) && refuses_again(packet, &origin, plan))
			return;
		connection = connection_find(packet);
		if (is_past_connections(connection, plan) && is_local_host(settings, &packet->tuple.destination))
			connection = NULL;
	}
	if (!connection || !is_believed(connection, &origin)) {
		verdict = is_own_error(packet->skb) ? ALLOWED : check_source(packet->skb, &packet->tuple.source);
		if (verdict != ALLOWED)
			return drop(plan, verdict);
		if (parsed == PARSE_ICMP_ERROR)
			return decide_error_from_uplink(packet, settings, plan);
		if (parsed == PARSE_FRAGMENT)
			return decide_portless(packet, plan, OUTCOME_DROP_FRAGMENT);
		if (parsed != PARSE_OK && is_for_host(settings, &packet->tuple.destination)) {
			decide_portless_host(packet, settings, plan);
			return;
		}
		if (parsed != PARSE_OK)
			return decide_portless(packet, plan, OUTCOME_DROP_UNSUPPORTED);
		if (!connection || is_from_behind_stack(connection, origin.interface)) {
			note_origin(packet, &origin, plan);
			open_from_network(packet, settings, NULL, plan);
			return;
		}
		believe(plan, &origin);
	}
	follow(packet, settings, connection, plan);
	if (plan->origin_is_known)
		decide_way_back(packet, NULL, plan);
}

SEC("tc")
int from_uplink(struct __sk_buff *skb)
{
	const struct settings *settings = settings_get();
	struct packet packet = {.skb = skb};
	struct plan *plan = plan_begin(skb);

	if (!plan)
		return TC_ACT_SHOT;
	if (!settings || (is_for_another_host(skb) && !is_own_error(skb)) || is_in_vlan(skb)) /* belongs to the VLAN's own interface */
		pass_to_stack(plan);
	else
		decide_from_uplink(&packet, settings, plan);
	settle_to_host(&packet, plan);
	judge_opening(&packet, settings, plan);
	return apply(&packet, plan);
}

/* The node for which to wrap a packet that a workload sends through the host's stack to another node, which accepts the workload's
 * address only from the tunnel. NULL: it is not wrapped. */
static __always_inline const struct location *must_be_wrapped(const struct settings *settings, const struct tuple *tuple)
{
	const struct location *location;

	if (!is_left_to_host(settings))
		return NULL;
	location = locate(&tuple->destination);
	if (!location || !(location->flags & LOCATION_REMOTE_HOST) || !is_wrapped_for(location->flags, &tuple->source))
		return NULL;
	return location;
}

static __always_inline void decide_portless_to_uplink(struct packet *packet, const struct settings *settings,
						      enum parse_result parsed, struct plan *plan)
{
	if (parsed == PARSE_UNTRACKED && is_made_here(packet->skb, settings, &packet->tuple.source) && is_for_host(settings, &packet->tuple.source) && !is_for_many(&packet->tuple.destination))
		decide_portless_host(packet, settings, plan);
	else
		pass_to_stack(plan);
}

static __always_inline void decide_to_uplink(struct packet *packet, const struct settings *settings, struct plan *plan)
{
	enum parse_result parsed = read(packet, HOOK_TO_UPLINK);
	const struct location *location;
	struct connection *connection;

	if (is_to_tunnel(&packet->tuple)) /* neither these programs nor the tunnel's device wrapped it */
		return drop(plan, OUTCOME_DROP_TUNNEL_FROM_WORKLOAD);
	if (is_judged_later(packet->skb) && refuses_after_stack(packet, parsed, plan))
		return;
	if (parsed == PARSE_OK && packet->tuple.protocol == IPPROTO_SCTP && is_own_request(packet, settings))
		return send(plan, EXIT_OWN, OUTCOME_PASS_TO_STACK);
	if (is_asked_untracked(settings, parsed) && !packet->skb->ingress_ifindex && !is_for_many(&packet->tuple.destination) &&
	    decide_untracked(packet, settings, DIRECTION_EGRESS, plan)) /* of what the node itself sends, and not of what it routes */
		return;
	if (parsed == PARSE_ICMP_ERROR)
		return decide_error_of_stack(packet, settings, plan);
	if (parsed != PARSE_OK)
		return decide_portless_to_uplink(packet, settings, parsed, plan);
	location = must_be_wrapped(settings, &packet->tuple);
	if (location)
		return send_overlay(plan, &location->node, encapsulation_to(location->flags, &packet->tuple.destination));
	connection = connection_lookup(&packet->tuple);
	if (is_reply_of_host_backend(connection))
		return reply_of_host_backend(packet, settings, connection, plan);
	if (!masquerade_after_stack(packet, settings, plan))
		decide_own(packet, settings, plan);
}

SEC("tc")
int to_uplink(struct __sk_buff *skb)
{
	const struct settings *settings = settings_get();
	struct packet packet = {.skb = skb};
	struct plan *plan;

	if (skb->mark == MARK_FORWARDED && !is_seen_again(settings)) /* counted by the program that sent it */
		return TC_ACT_OK;
	plan = plan_begin(skb);
	if (!plan)
		return TC_ACT_SHOT;
	if (settings && skb->mark == MARK_FORWARDED) {
		decide_sent(&packet, settings, plan);
		if (plan->exit == EXIT_PASS)
			return TC_ACT_OK;
		if (plan->exit == EXIT_ENCRYPTED)
			return send_encrypted(settings);
	} else if (settings) {
		decide_to_uplink(&packet, settings, plan);
		if (plan->exit == EXIT_OWN)
			return send_own_request(skb, settings, plan);
	} else {
		pass_to_stack(plan);
	}
	if (settings)
		settle_from_host(&packet, plan);
	judge_opening(&packet, settings, plan);
	return apply(&packet, plan);
}

/* Not attached: the agent runs it (BPF_PROG_TEST_RUN) on a frame that the agent made, to send that frame out of an uplink. So the agent
 * needs no raw socket. This program uses no scratch, so bpf_clone_redirect disturbs no other run. */
SEC("tc")
int announce(struct __sk_buff *skb)
{
	skb->mark = MARK_FORWARDED;
	return bpf_clone_redirect(skb, skb->ifindex, 0);
}
