// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/* bpf/net/crc32c.h alone, for lengths that no test frame has: cb[0] a register, cb[1] how many zero bytes follow. */
#include "../../bpf/net/crc32c.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tc")
int shift(struct __sk_buff *skb)
{
	return crc32c_shift(skb->cb[0], skb->cb[1]);
}
