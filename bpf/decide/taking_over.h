/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../clock.h"
#include "../connection/live.h"
#include "../locate.h"
#include "../net/packet.h"
#include "../net/socket.h"
#include "../settings.h"

/* Whether the agent is still taking over the connections of older programs (decision 31). If the agent ends meanwhile, this state
 * expires. */

static __always_inline bool is_taking_over(const struct settings *settings)
{
	return settings->taking_over_until && packet_time() < settings->taking_over_until * SECOND;
}

/* Whether a socket of the node itself waits for a packet. Not for a RST: it may answer a packet of the node that left untranslated
 * because its connection to a service was not known yet. A genuine RST comes again when the node sends again. */
static __always_inline bool is_for_socket(struct __sk_buff *skb, const struct packet *packet, const struct settings *settings)
{
	const struct tuple *tuple = &packet->tuple;

	return !(packet->tcp_flags & TCP_RST) && is_local_host(settings, &tuple->destination) &&
	       has_socket(skb, tuple, tuple->source_port);
}

/* Whether a packet of no known connection may belong to a connection that is not taken over yet. Such a packet is dropped, and its
 * sender sends it again. A RST in answer would make the sender give up. If the packet were sent on as it is, its receiver would answer
 * with a RST, or it would begin a flow of its own. */
static __always_inline bool may_be_known_soon(struct __sk_buff *skb, const struct packet *packet, const struct settings *settings)
{
	return is_taking_over(settings) && !packet_may_open(packet) && !is_for_socket(skb, packet, settings);
}
