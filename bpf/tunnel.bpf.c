// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/* What the other nodes wrapped for this one and from_uplink left to the kernel's tunnel device (steps/vxlan.h). */
#include "steps/receive.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* What the device took off. @return false: it does not come from one of our nodes */
static __always_inline bool read_wrapping(struct __sk_buff *skb, struct wrapping *wrapping)
{
	struct scratch *scratch = scratch_get();

	if (!scratch || bpf_skb_get_tunnel_key(skb, &scratch->key, sizeof(scratch->key), 0))
		return false;
	wrapping->node = address_from_ipv4(bpf_htonl(scratch->key.remote_ipv4));
	wrapping->vni = scratch->key.tunnel_id;
	bpf_skb_get_tunnel_opt(skb, &wrapping->group, sizeof(wrapping->group));
	return location_flags(locate(&wrapping->node)) & LOCATION_REMOTE_HOST;
}

SEC("tc")
int from_tunnel(struct __sk_buff *skb)
{
	const struct settings *settings = settings_get();
	struct packet packet = {.skb = skb};
	struct wrapping wrapping = {};

	if (!settings) /* nor is any node known */
		return drop(skb, OUTCOME_DROP_UNKNOWN_TUNNEL_PEER);
	if (!read_wrapping(skb, &wrapping))
		return drop(skb, OUTCOME_DROP_UNKNOWN_TUNNEL_PEER);
	return receive_wrapped(&packet, settings, &wrapping, HOOK_FROM_TUNNEL);
}
