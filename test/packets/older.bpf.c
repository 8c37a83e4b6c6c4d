// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/* Maps of a version that never was: fields of a connection are elsewhere, of another size or missing, and one is gone since. */
#include "../../bpf/shared/connection.h"
#include "../../bpf/shared/service.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct older_connection {
	__u32 flags;
	__u32 gone_since;
	__u64 last_seen;
	__u32 packets;
	__be16 port;
	__be16 peer_port;
	struct address address;
	struct address node;
	__u32 next;
	__be32 sequence;
	struct origin origin;
	__u32 backend;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct tuple);
	__type(value, struct older_connection);
} connections SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct tuple);
	__type(value, struct older_connection);
} half_open SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct secret);
} secrets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} room_made SEC(".maps");

SEC("tc")
int nothing(struct __sk_buff *skb)
{
	return 0;
}
