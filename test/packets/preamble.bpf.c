// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/* Adds metadata that BPF_PROG_TEST_RUN cannot pass: the tunnel device's metadata, a VLAN tag that the card removed, the
 * frame's receiver. The test passes it in skb->cb; then the program under test is tail-called (node.ts). */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define NOT_TAKEN_OVER 99
#define NODE 0xac1f0108 /* 172.31.1.8, the node under test (cluster.ts): wrapped packets are sent to its tunnel's address */

enum extra {
	WITH_TUNNEL = 1 << 0, /* cb[1] the node that wrapped it, cb[2] VNI, cb[3] group */
	WITH_TAG = 1 << 1,    /* cb[4] VLAN */
};

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u32);
} programs SEC(".maps");

SEC("tc")
int preamble(struct __sk_buff *skb)
{
	__u32 extras = skb->cb[0], program = extras >> 16, group = skb->cb[3];
	/* The kernel keeps one key for both ends: what this side calls local, the reader calls remote. */
	struct bpf_tunnel_key key = {.local_ipv4 = skb->cb[1], .remote_ipv4 = NODE, .tunnel_id = skb->cb[2]};

	if (extras & WITH_TUNNEL) {
		if (bpf_skb_set_tunnel_key(skb, &key, sizeof(key), 0))
			return NOT_TAKEN_OVER;
		if (group && bpf_skb_set_tunnel_opt(skb, &group, sizeof(group)))
			return NOT_TAKEN_OVER;
	}
	if ((extras & WITH_TAG) && bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), skb->cb[4]))
		return NOT_TAKEN_OVER;
	bpf_tail_call(skb, &programs, program);
	return NOT_TAKEN_OVER;
}
