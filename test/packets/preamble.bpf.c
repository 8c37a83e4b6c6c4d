// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/* What a test run cannot be told about a packet: the tunnel device's note, a VLAN tag that the card took off, for whom the
 * frame was. It is told in skb->cb, put on, and the program under test takes over (stand.ts). */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define NOT_TAKEN_OVER 99
#define NODE 0xac1f0108 /* 172.31.1.8, the node under test (cluster.ts): what is wrapped comes to its tunnel's address */

enum told {
	TOLD_TUNNEL = 1 << 0, /* cb[1] the node that wrapped it, cb[2] VNI, cb[3] group */
	TOLD_TAG = 1 << 1,    /* cb[4] VLAN */
};

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u32);
} programs SEC(".maps");

SEC("tc")
int preamble(struct __sk_buff *skb)
{
	__u32 told = skb->cb[0], program = told >> 16, group = skb->cb[3];
	/* The kernel keeps one key for both ends: what this side calls local, the reader calls remote. */
	struct bpf_tunnel_key key = {.local_ipv4 = skb->cb[1], .remote_ipv4 = NODE, .tunnel_id = skb->cb[2]};

	if (told & TOLD_TUNNEL) {
		if (bpf_skb_set_tunnel_key(skb, &key, sizeof(key), 0))
			return NOT_TAKEN_OVER;
		if (group && bpf_skb_set_tunnel_opt(skb, &group, sizeof(group)))
			return NOT_TAKEN_OVER;
	}
	if ((told & TOLD_TAG) && bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), skb->cb[4]))
		return NOT_TAKEN_OVER;
	bpf_tail_call(skb, &programs, program);
	return NOT_TAKEN_OVER;
}
