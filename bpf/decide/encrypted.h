/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../read.h"
#include "../tunnel/wireguard.h"

/* At an uplink of a node that encrypts: packets that arrive encrypted, and packets that leave. */

/* A WireGuard packet of another node: this node's device decrypts it, whatever Services and policies say about its port. The same
 * applies to a fragment that could become part of a packet of the tunnel without having been encrypted. @return false: the packet is
 * neither */
static __always_inline bool decide_encrypted(const struct packet *packet, const struct settings *settings, enum parse_result parsed,
					     struct plan *plan)
{
	bool is_lone = is_lone_fragment(&packet->tuple, parsed);

	if ((!is_lone && !is_wireguard(&packet->tuple)) || !is_wrapped_for_us(packet, settings))
		return false;
	if (is_lone)
		drop(plan, OUTCOME_DROP_NOT_ENCRYPTED);
	else
		pass_to_stack(plan);
	return true;
}

/* Looks again at a packet that another of our programs sent and has counted: a wrapped packet belongs to the tunnel and may have to be
 * encrypted. The packets that WireGuard sends have the same mark. Without a fault the plan stays EXIT_PASS or becomes EXIT_ENCRYPTED. */
static __always_inline void decide_sent(struct packet *packet, const struct settings *settings, struct plan *plan)
{
	enum parse_result parsed = read(packet, HOOK_TO_UPLINK);

	if (must_be_encrypted(&packet->tuple, parsed, settings)) {
		if (can_be_encrypted(&packet->tuple, settings))
			plan->exit = EXIT_ENCRYPTED;
		else
			drop(plan, OUTCOME_DROP_NOT_ENCRYPTED);
	}
}

static __always_inline bool is_seen_again(const struct settings *settings)
{
	return settings && encrypts(settings);
}
