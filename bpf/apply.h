/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "answer.h"
#include "bandwidth.h"
#include "destination.h"
#include "first_fragment.h"
#include "net/hops.h"
#include "net/neighbour.h"
#include "observe/outcomes.h"
#include "observe/report.h"
#include "observe/services.h"
#include "observe/trace.h"
#include "observe/verdicts.h"
#include "remember.h"
#include "settings.h"
#include "translate.h"
#include "tunnel/own_way.h"
#include "tunnel/tunnel.h"
#include <linux/pkt_cls.h>

/* Carries out a plan: writes the connection, translates the packet, finds the next hop, sends the packet, and counts its outcome. */

#define PACKET_HOST 0 /* linux/if_packet.h */

/* The packet goes through the host's stack. The connection caches this as its next hop, so that the checks that run with each new next
 * hop do not run for every packet. */
static __always_inline int send_to_stack(struct __sk_buff *skb, struct connection *connection, const struct plan *plan)
{
	connection = remembering(connection, plan);
	if (connection && (connection->flags & (CONNECTION_REPLY | CONNECTION_VIA_STACK)) == CONNECTION_VIA_STACK)
		remember_next_hop_is_stack(connection);
	bpf_skb_change_type(skb, PACKET_HOST);
	return TC_ACT_OK;
}

/* Sends the packet to a pod of this node, straight to the pod's side of the veth pair: past the host's stack and without a second hook.
 * If the TTL ends here, the stack answers: it gets the packet as the pod would get it. */
static __always_inline int send_to_endpoint(struct __sk_buff *skb, const struct packet *packet, const struct next_hop *hop,
					    struct plan *plan)
{
	if (hop && limits_bandwidth(settings_get()) &&
	    exceeds_bandwidth(skb, packet->l4_offset, packet->tuple.protocol, hop->interface, DIRECTION_INGRESS)) {
		drop(plan, OUTCOME_DROP_BANDWIDTH);
		return TC_ACT_SHOT;
	}
	if (decrement_ttl(skb)) {
		pass_to_stack(plan);
		return TC_ACT_OK;
	}
	if (hop && !write_macs(skb, next_hop_macs(hop)))
		return bpf_redirect_peer(hop->interface, 0);
	drop(plan, OUTCOME_DROP_MALFORMED);
	return TC_ACT_SHOT;
}

static __always_inline int send_to_network(struct __sk_buff *skb, const struct packet *packet, const struct next_hop *hop,
					   struct plan *plan)
{
	if (decrement_ttl(skb))
		return end_here(skb, packet);
	if (hop && !write_macs(skb, next_hop_macs(hop))) {
		skb->mark = MARK_FORWARDED;
		return bpf_redirect(hop->interface, 0);
	}
	drop(plan, OUTCOME_DROP_MALFORMED);
	return TC_ACT_SHOT;
}

static __noinline int send_to_neighbour(struct __sk_buff *skb, const struct packet *packet)
{
	const struct scratch *scratch = scratch_get();

	if (!packet || !scratch)
		return TC_ACT_SHOT;
	if (decrement_ttl(skb))
		return end_here(skb, packet);
	skb->mark = MARK_FORWARDED;
	return redirect_to_neighbour(&scratch->route);
}

static __always_inline int send_answer(struct __sk_buff *skb, struct plan *plan)
{
	if (answer_neighbour(skb)) {
		drop(plan, OUTCOME_DROP_MALFORMED);
		return TC_ACT_SHOT;
	}
	skb->mark = MARK_FORWARDED;
	return bpf_redirect(skb->ifindex, 0);
}

/* Sends the packet to another node, wrapped by this program or by the kernel's device. The id of the backend that the entry node chose
 * is in the outer headers, so that both nodes use the same backend. */
__global int send_to_node(struct __sk_buff *skb, const struct packet *packet, struct connection *connection, struct plan *plan)
{
	const struct settings *settings = settings_get();
	struct scratch *scratch = scratch_get();
	const struct next_hop *hop;
	__u32 interface, fits = 0;
	int result = -1;

	if (!skb || !packet || !settings || !plan || !scratch)
		return TC_ACT_SHOT;
	connection = remembering(connection, plan);
	interface = settings->tunnel_ifindex;
	if (!interface) {
		drop(plan, OUTCOME_DROP_NO_ROUTE);
		return TC_ACT_SHOT;
	}
	if (plan->wrapping.kind == TUNNEL_RETURN && connection)
		plan->wrapping.backend = return_detail(skb, connection);
	hop = find_node(skb, packet, connection, settings, plan, &fits);
	if (fits && !is_too_big(skb, fits))
		fits = 0;
	if (fits || decrement_ttl(skb)) {
		draft_error(&scratch->error, packet);
		return answer_with_error(skb, fits);
	}
	if (hop) {
		interface = hop->interface;
		result = wrap(skb, &packet->tuple, settings, &plan->wrapping, hop);
	}
	if (result < 0) {
		plan->wrapping.encapsulation = ENCAPSULATION_VXLAN;
		interface = settings->tunnel_ifindex;
		result = prepare_device(skb, &plan->wrapping);
	}
	if (result) {
		drop(plan, result < 0 ? OUTCOME_DROP_NO_ROUTE : OUTCOME_DROP_MALFORMED);
		return TC_ACT_SHOT;
	}
	trace_wrapped(&plan->wrapping);
	skb->mark = MARK_FORWARDED;
	return bpf_redirect(interface, 0);
}

/* Separate function: few packets need it. */
static __noinline int send_too_big(struct __sk_buff *skb, const struct packet *packet)
{
	struct scratch *scratch = scratch_get();

	if (!packet || !scratch)
		return TC_ACT_SHOT;
	draft_error(&scratch->error, packet);
	return answer_with_error(skb, scratch->route.mtu_result);
}

static __always_inline int leave(struct __sk_buff *skb, const struct packet *packet, struct connection *connection, struct plan *plan)
{
	const struct next_hop *hop = NULL;

	if (plan->exit == EXIT_DESTINATION)
		hop = find_destination(skb, packet, connection, plan);
	switch (plan->exit) {
	case EXIT_NODE:
		return send_to_node(skb, packet, connection, plan);
	case EXIT_ENDPOINT:
		return send_to_endpoint(skb, packet, hop, plan);
	case EXIT_NETWORK:
		return send_to_network(skb, packet, hop, plan);
	case EXIT_NEIGHBOUR:
		return send_to_neighbour(skb, packet);
	case EXIT_TOO_BIG:
		return send_too_big(skb, packet);
	case EXIT_QUOTED:
		return answer_quoted(skb);
	case EXIT_ANSWER:
		return send_answer(skb, plan);
	case EXIT_OWN:
		return send_own_answer(skb, settings_get());
	case EXIT_STACK:
	case EXIT_REJECT:
		return send_to_stack(skb, connection, plan);
	case EXIT_PASS:
		return TC_ACT_OK;
	default:
		return TC_ACT_SHOT;
	}
}

static __always_inline void count(struct __sk_buff *skb, enum outcome outcome)
{
	count_outcome(outcome, skb->len, false);
	trace_finished(skb, outcome);
}

/* Drops the packet or passes it as it came, and writes nothing about it to the maps. */
static __always_inline bool is_untouched(const struct plan *plan)
{
	return plan->exit <= EXIT_REJECT && !plan->translate && !plan->remember && !plan->mark;
}

static __always_inline int leave_untouched(struct __sk_buff *skb, const struct plan *plan)
{
	if (plan->exit == EXIT_DROP)
		return TC_ACT_SHOT;
	if (plan->exit != EXIT_PASS)
		bpf_skb_change_type(skb, PACKET_HOST);
	return TC_ACT_OK;
}

/* Carries out a plan that changes something. A global function: the verifier walks it once, not once for each state in which a program
 * has decided. The pointers in `packet` are lost on the way into a global function, so they are arguments of their own. @return the
 * action */
__global int carry_out(struct __sk_buff *skb, struct packet *packet, struct connection *connection, struct plan *plan)
{
	if (!skb || !packet || !plan)
		return TC_ACT_SHOT;
	if (plan->remember == REMEMBER_OPENING && opens_beyond_translation(skb, packet))
		drop(plan, OUTCOME_DROP_SCTP_FRAGMENT);
	if (plan->remember == REMEMBER_OPENING)
		choose_port(skb, packet);
	connection = remember(skb, packet, connection, plan);
	if (plan->translate == TRANSLATE_PACKET && is_beyond_translation(skb, packet, connection))
		drop(plan, OUTCOME_DROP_SCTP_FRAGMENT);
	if (plan->translate != TRANSLATE_NOTHING &&
	    (plan->translate == TRANSLATE_PACKET ? translate_packet(skb, packet, connection)
						 : translate_error(skb, packet, connection)))
		drop(plan, OUTCOME_DROP_MALFORMED);
	if (plan->mark)
		skb->mark = plan->mark;
	return leave(skb, packet, connection, plan);
}

static __always_inline void note_refused(struct __sk_buff *skb, const struct plan *plan)
{
	report_refused(skb);
	if (plan->service)
		count_service(plan->service, plan->outcome, 0);
}

static __always_inline int apply(struct packet *packet, struct plan *plan)
{
	struct __sk_buff *skb = packet->skb;
	int action;

	if (plan->exit == EXIT_REJECT) /* as it came */
		note_refused(skb, plan);
	action = is_untouched(plan) ? leave_untouched(skb, plan) : carry_out(skb, packet, packet->connection, plan);
	if (keeps_ports(plan))
		keep_first_fragment();
	if (plan->exit == EXIT_DROP && plan->outcome != OUTCOME_DROP_BANDWIDTH) /* which is part of any fast transfer */
		note_refused(skb, plan);
	if (plan->asked)
		note_verdicts(plan);
	if (plan->refusal_lasts)
		remember_refusal(skb, &packet->tuple);
	count(skb, plan->outcome);
	return action;
}
