// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/* A node's uplink in its card's driver, before the kernel makes a socket buffer of the frame. It handles only packets for which the
 * result is certain to be that of from_uplink: packets of known connections that this node forwards and sends out again where they came
 * in, and packets of flows that policies refused a moment ago. All other packets pass to from_uplink, untouched. */
#include "early.h"
#include "policy/refused.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Whether the checks that from_uplink makes for every packet are not needed now, and no wrapped packet has to be encrypted on its way
 * out. */
static __always_inline bool is_ordinary(const struct settings *settings)
{
	return !(settings->flags & (SETTINGS_UNTRACKED | SETTINGS_ENCRYPTION)) && !settings->taking_over_until && settings->tunnel_ifindex;
}

/* Whether this node forwards the connection, and its state is one that a packet without SYN, FIN and RST cannot change and that need not
 * be judged again. */
static __always_inline bool is_forwarded_as_before(const struct connection *connection, const struct settings *settings)
{
	const __u32 others = CONNECTION_DIRECT_RETURN | CONNECTION_ANSWERED | CONNECTION_FIN;

	return (connection->flags & ~others) == CONNECTION_FORWARDED &&
	       (connection->policy_revision == settings->policy_revision || !has_host_stages(settings));
}

/* Whether the frame is for this node: it was sent to the hardware address from which the last packet left. */
static __always_inline bool is_for_uplink(const struct ethhdr *ethernet, const struct next_hop *hop, __u32 interface)
{
	return hop->kind == NEXT_HOP_NODE && hop->interface == interface && mac_is_equal(ethernet->h_dest, hop->source_mac);
}

static __always_inline int forward(struct xdp_md *ctx, const struct packet *packet, const struct settings *settings,
				   struct connection *connection, const struct ethhdr *ethernet, const struct origin *origin)
{
	const struct connection *known;

	if ((packet->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST)) || !is_forwarded_as_before(connection, settings) ||
	    !connection_was_live(connection, packet->tuple.protocol, packet_time()) || !is_believed(connection, origin) ||
	    !is_ipv4(&connection->node))
		return XDP_PASS;
	known = next_hop_known(connection);
	if (!known || !is_for_uplink(ethernet, &known->next_hop, ctx->ingress_ifindex))
		return XDP_PASS;
	if (early_wrapped_length(ctx) > known->next_hop.mtu) {
		leave_to_tc(connection);
		return XDP_PASS;
	}
	return send_early(ctx, packet, settings, connection, &known->next_hop);
}

/* Whether from_uplink would refuse a packet as it has refused one to the same hardware address. While there are listeners, from_uplink
 * handles the packet and tells them. */
static __always_inline bool is_refused_here(const struct packet *packet, const struct ethhdr *ethernet)
{
	const struct refusal *refusal;

	if (!is_refused_again(&packet->tuple, packet_is_syn(packet)))
		return false;
	refusal = refusal_at(&packet->tuple);
	return refusal && mac_is_equal(refusal->receiver, ethernet->h_dest) && !has_listeners();
}

static __always_inline int take(struct xdp_md *ctx)
{
	const struct settings *settings = settings_get();
	const struct ethhdr *ethernet = early_ethernet(ctx);
	struct origin origin = {.interface = ctx->ingress_ifindex};
	struct connection *connection = NULL;
	struct packet packet = {};
	struct scratch *scratch;

	if (!settings || !ethernet || !is_ordinary(settings) || !read_early(ctx, &packet) || is_tunnel_packet(&packet.tuple))
		return XDP_PASS;
	scratch = scratch_begin();
	if (!scratch)
		return XDP_PASS;
	scratch->interface = ctx->ingress_ifindex;
	__builtin_memcpy(origin.mac, ethernet->h_source, ETH_ALEN);
	if (!packet_is_syn(&packet))
		connection = bpf_map_lookup_elem(&connections, &packet.tuple);
	if (connection)
		return forward(ctx, &packet, settings, connection, ethernet, &origin);
	if (!may_be_refused_again(&packet))
		return XDP_PASS;
	scratch->plan.origin = origin;
	return is_refused_here(&packet, ethernet) ? drop_early(ctx, &scratch->plan) : XDP_PASS;
}

/* While a packet is traced, from_uplink shows each step of it. */
SEC("xdp.frags")
int xdp_uplink(struct xdp_md *ctx)
{
	return SHOWS_EACH_STEP ? XDP_PASS : take(ctx);
}
