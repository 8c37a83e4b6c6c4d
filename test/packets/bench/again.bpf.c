// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/* A packet that a program has changed, made as it was and handed to it again: what follows costs as in a stream of packets,
 * with code and tables at hand, which single test runs never have. */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define NOT_TAKEN_OVER 99
#define RESTORED 54 /* Ethernet, IP, TCP */

struct original {
	__u32 mark;
	__u32 new_at; /* each packet is a separate flow: another number stands here; 0: they are the same */
	__u8 bytes[RESTORED];
	__u16 length; /* of the frame */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct original);
} original SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} programs SEC(".maps");

SEC("tc")
int again(struct __sk_buff *skb)
{
	__u32 first = 0;
	struct original *was = bpf_map_lookup_elem(&original, &first);

	if (!was)
		return NOT_TAKEN_OVER;
	if (was->new_at && was->new_at < RESTORED - 1)
		(*(__u16 *)&was->bytes[was->new_at])++;
	if (bpf_skb_store_bytes(skb, 0, was->bytes, RESTORED, 0))
		return NOT_TAKEN_OVER;
	skb->mark = was->mark;
	bpf_tail_call(skb, &programs, 0);
	return NOT_TAKEN_OVER;
}

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} card_programs SEC(".maps");

/* The same for a card's program, which may have made the frame longer in front. */
SEC("xdp.frags")
int again_in_card(struct xdp_md *ctx)
{
	__u32 first = 0;
	struct original *was = bpf_map_lookup_elem(&original, &first);

	if (!was)
		return NOT_TAKEN_OVER;
	if (ctx->data_end - ctx->data > was->length && bpf_xdp_adjust_head(ctx, ctx->data_end - ctx->data - was->length))
		return NOT_TAKEN_OVER;
	if (was->new_at && was->new_at < RESTORED - 1)
		(*(__u16 *)&was->bytes[was->new_at])++;
	if (bpf_xdp_store_bytes(ctx, 0, was->bytes, RESTORED))
		return NOT_TAKEN_OVER;
	bpf_tail_call(ctx, &card_programs, 0);
	return NOT_TAKEN_OVER;
}

SEC("xdp.frags")
int nothing_in_card(struct xdp_md *ctx)
{
	return XDP_PASS;
}

/* What measuring itself costs. */
SEC("tc")
int nothing(struct __sk_buff *skb)
{
	return 0;
}
