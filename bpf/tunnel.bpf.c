// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/* What the other nodes wrapped for this one and from_uplink left to the kernel's tunnel device (tunnel/vxlan.h). */
#include "decide/wrapped.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* What the device took off. The device takes what comes to any address of this node: only one is the tunnel's.
 * @return false: it does not come from one of our nodes */
static __always_inline bool read_wrapping(struct __sk_buff *skb, const struct settings *settings, struct wrapping *wrapping)
{
	struct scratch *scratch = scratch_get();

	if (!scratch || bpf_skb_get_tunnel_key(skb, &scratch->key, sizeof(scratch->key), 0))
		return false;
	if (bpf_htonl(scratch->key.local_ipv4) != address_to_ipv4(&settings->node))
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
	if (!read_wrapping(skb, settings, &wrapping))
		return drop(skb, OUTCOME_DROP_UNKNOWN_TUNNEL_PEER);
	return receive_wrapped(&packet, settings, &wrapping, HOOK_FROM_TUNNEL);
}

/* What this node's stack sends into the device: its own packets to workloads elsewhere, and, where kube-proxy handles
 * services, workloads'. The mark stays on the wrapped packet: by it to_uplink tells it from one that a process wrapped. */
SEC("tc")
int to_tunnel(struct __sk_buff *skb)
{
	const struct settings *settings = settings_get();
	struct packet packet;

	if (skb->mark == MARK_FORWARDED)
		return TC_ACT_OK;
	if (parse(skb, &packet, HOOK_TO_TUNNEL) == PARSE_OK) {
		if (is_judged_later(skb)) {
			enum outcome verdict = judge_after_stack(skb, &packet.tuple);

			if (verdict != OUTCOME_TO_ENDPOINT)
				return drop_flow(skb, verdict, &packet.tuple);
		}
		if (settings)
			remember_host_request(settings, &packet.tuple);
	} else if (is_judged_later(skb)) {
		return drop(skb, OUTCOME_DROP_FRAGMENT);
	}
	skb->mark = MARK_FORWARDED;
	return pass_to_stack(skb);
}
