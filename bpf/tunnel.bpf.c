// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/* The kernel's tunnel device: packets that other nodes wrapped for this node and that from_uplink left to that device (tunnel/device.h),
 * and packets that the node's own processes send to Services through it (decide/own_request.h). Also the device that encrypts packets
 * between nodes (tunnel/wireguard.h). */
#include "apply.h"
#include "decide/from_host.h"
#include "decide/host_backend.h"
#include "decide/judge_opening.h"
#include "decide/own_request.h"
#include "decide/wrapped.h"
#include "tunnel/wireguard.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tc")
int from_tunnel(struct __sk_buff *skb)
{
	const struct settings *settings = settings_get();
	struct packet packet = {.skb = skb};
	struct scratch *scratch = scratch_get();
	struct plan *plan = plan_begin(skb);

	if (!plan || !scratch)
		return TC_ACT_SHOT;
	if (is_from_own_programs(skb, MARK_OWN_ANSWER)) /* counted by the program that sent it */
		return give_own_answer(skb);
	if (settings && is_from_own_programs(skb, MARK_OWN_REQUEST)) {
		skb->mark = 0;
		decide_own_request(&packet, settings, plan);
	} else if (!settings || !unwrapped_by_device(skb, settings, &scratch->wrapping)) { /* without settings no node is known */
		drop(plan, OUTCOME_DROP_UNKNOWN_TUNNEL_PEER);
	} else if (encrypts(settings) && skb->mark != MARK_DECRYPTED) { /* from an interface that is no uplink */
		drop(plan, OUTCOME_DROP_NOT_ENCRYPTED);
	} else {
		if (skb->mark == MARK_DECRYPTED)
			skb->mark = 0;
		if (wrapping_is_service(&scratch->wrapping)) /* a client's: the node is judged as where clients come in */
			scratch->interface = settings->uplink_ifindex;
		decide_wrapped(&packet, settings, &scratch->wrapping, HOOK_FROM_TUNNEL, plan);
	}
	settle_to_host(&packet, plan);
	judge_opening(&packet, settings, plan);
	return apply(&packet, plan);
}

static __always_inline void decide_to_tunnel(struct packet *packet, const struct settings *settings, struct plan *plan)
{
	enum parse_result parsed = read(packet, HOOK_TO_TUNNEL);
	struct connection *connection = NULL;

	if (is_judged_later(packet->skb) && refuses_after_stack(packet, parsed, plan))
		return;
	if (parsed == PARSE_OK && settings && is_led(packet, settings))
		return send(plan, EXIT_OWN, OUTCOME_PASS_TO_STACK);
	pass_to_stack(plan);
	if (parsed == PARSE_ICMP_ERROR && settings)
		decide_error_of_stack(packet, settings, plan);
	if (parsed == PARSE_OK && settings)
		connection = connection_lookup(&packet->tuple);
	if (settings && is_reply_of_host_backend(connection))
		reply_of_host_backend(packet, settings, connection, plan);
	else if (parsed == PARSE_OK && settings)
		decide_own(packet, settings, plan);
	if (plan->exit != EXIT_DROP)
		plan->mark = MARK_FORWARDED;
}

/* Packets that this node's stack sends into the device: its own to workloads of other nodes; replies of backends in its network to
 * clients that used a node port of this node; and, while kube-proxy handles services, packets of workloads. The mark stays on the
 * wrapped packet, so that to_uplink can tell it from a packet that a process wrapped. */
SEC("tc")
int to_tunnel(struct __sk_buff *skb)
{
	const struct settings *settings = settings_get();
	struct packet packet = {.skb = skb};
	struct plan *plan = plan_begin(skb);

	if (!plan)
		return TC_ACT_SHOT;
	if (skb->mark == MARK_FORWARDED)
		return TC_ACT_OK;
	decide_to_tunnel(&packet, settings, plan);
	if (plan->exit == EXIT_OWN && settings)
		return send_own_request(skb, settings, plan);
	if (settings)
		settle_from_host(&packet, plan);
	judge_opening(&packet, settings, plan);
	return apply(&packet, plan);
}

/* The egress of loopback, attached only while there are SCTP ports at this node's addresses: it handles what the node's processes send
 * to these ports. Everything else is not ours, and not counted. */
SEC("tc")
int to_loopback(struct __sk_buff *skb)
{
	const struct settings *settings = settings_get();
	struct plan *plan = plan_begin(skb);
	struct packet packet = {.skb = skb};

	if (!settings || !settings->tunnel_ifindex || !plan || read(&packet, HOOK_TO_LOOPBACK) != PARSE_OK ||
	    !is_own_request(&packet, settings))
		return TC_ACT_OK;
	return send_own_request(skb, settings, plan);
}

static __always_inline int end_at_wireguard(struct __sk_buff *skb, struct plan *plan)
{
	count(skb, plan->outcome);
	return plan->exit == EXIT_DROP ? TC_ACT_SHOT : TC_ACT_OK;
}

/* A packet that another node encrypted goes through the host's stack to the tunnel's device. There from_tunnel makes the same checks as
 * for any packet of that device. */
SEC("tc")
int from_wireguard(struct __sk_buff *skb)
{
	const struct settings *settings = settings_get();
	struct plan *plan = plan_begin(skb);

	if (!plan)
		return TC_ACT_SHOT;
	if (settings && is_decrypted_tunnel(skb, settings)) {
		skb->mark = MARK_DECRYPTED;
		pass_to_stack(plan);
	} else {
		drop(plan, OUTCOME_DROP_UNKNOWN_TUNNEL_PEER);
	}
	return end_at_wireguard(skb, plan);
}

/* Only packets that to_uplink hands to the device: a process of the node could bind to the device, and send packets that look wrapped by
 * the node. */
SEC("tc")
int to_wireguard(struct __sk_buff *skb)
{
	struct plan *plan = plan_begin(skb);

	if (!plan)
		return TC_ACT_SHOT;
	if (skb->mark == MARK_FORWARDED) /* counted by the program that sent it */
		return TC_ACT_OK;
	drop(plan, OUTCOME_DROP_TUNNEL_FROM_WORKLOAD);
	return end_at_wireguard(skb, plan);
}
