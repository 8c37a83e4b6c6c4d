/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../net/icmp.h"
#include "../policy/judge.h"

/* doNotTrack: policies of host endpoints that are asked about every packet at an uplink, before its connection is looked up. Answers
 * need rules of their own. */

static __always_inline bool has_untracked(const struct settings *settings)
{
	return settings->flags & SETTINGS_UNTRACKED;
}

/* Whether the packet is to a fail-safe port or an answer from one: without a connection the two cannot be told apart. */
static __always_inline bool is_failsafe_either_way(struct scratch *scratch, enum direction direction)
{
	if (is_failsafe(&scratch->written, direction))
		return true;
	scratch->direction = reversed(&scratch->written);
	return is_failsafe(&scratch->direction, direction == DIRECTION_INGRESS ? DIRECTION_EGRESS : DIRECTION_INGRESS);
}

/* Asks the policy about one packet. If it denies the packet, the packet is dropped. If it allows the packet, no later policy of the
 * interface is asked (`is_accepted`). Packets between the node and fail-safe ports are never denied. Separate function: the caller has
 * no BPF stack left. @return whether the packet is dropped */
static __step int decide_untracked(const struct packet *packet, const struct settings *settings, enum direction direction, struct plan *plan)
{
	bool is_arrival = direction == DIRECTION_INGRESS;
	struct scratch *scratch = scratch_get();
	int verdict;

	if (!packet || !settings || !plan || !scratch)
		return false;
	scratch->written = packet->tuple;
	if (packet->is_answer)
		scratch->written.destination_port = icmp_answer_port(&packet->tuple);
	verdict = ask_host(HOST_UNTRACKED, is_arrival ? JUDGED_UNTRACKED_IN : JUDGED_UNTRACKED_OUT, scratch->interface);
	if (verdict == POLICY_ALLOW)
		plan->is_accepted = true;
	if (verdict != POLICY_DENY)
		return false;
	if (is_local_host(settings, is_arrival ? &scratch->written.destination : &scratch->written.source) &&
	    is_failsafe_either_way(scratch, direction)) {
		judgement_of(scratch, is_arrival ? JUDGED_UNTRACKED_IN : JUDGED_UNTRACKED_OUT)->verdict = POLICY_NEXT;
		return false;
	}
	drop(plan, is_arrival ? OUTCOME_DROP_POLICY_INGRESS : OUTCOME_DROP_POLICY_EGRESS);
	return true;
}

/* Whether the packet has ports, or an ICMP type, about which the policy can be asked. */
static __always_inline bool is_asked_untracked(const struct settings *settings, enum parse_result parsed)
{
	return has_untracked(settings) && (parsed == PARSE_OK || parsed == PARSE_UNTRACKED);
}

/* Whether a packet of the node itself skips the connection table and opens no connection. */
static __always_inline bool is_past_connections(const struct connection *connection, const struct plan *plan)
{
	return plan->is_accepted && connection && (connection->flags & (CONNECTION_VIA_STACK | CONNECTION_NOT_JUDGED)) == CONNECTION_VIA_STACK;
}
