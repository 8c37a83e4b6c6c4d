/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../shared/event.h"
#include "../shared/policy.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* struct event after struct event. Written by the packet path, read by the agent for all listeners. The agent reads
 * ten times a second and is not woken. Full: new events are lost, and counted. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} events SEC(".maps");

/* 0 -> until when there are listeners. Written by the agent; read where a connection opens or a packet is refused. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct listening);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} listeners SEC(".maps");

/* enum report -> how many of them, per CPU. Written by the packet path, read by the agent's metrics. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, REPORT_COUNT);
	__type(key, __u32);
	__type(value, struct report_counter);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} reports SEC(".maps");

/* Hash of a sender, of an interface -> how many of their packets were reported in this window, per CPU. Written and read by the packet
 * path only. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, REPORT_SHARES);
	__type(key, __u32);
	__type(value, struct report_share);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} report_shares SEC(".maps");

/* 0 -> which packets are traced. Written by the agent; read by the traced build of the programs only. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct trace);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} traces SEC(".maps");

/* policy's decision -> how often, per CPU. Written by the packet path, read by the agent's metrics. Full: the decisions that are made
 * least often make room; their counts begin at 0 when they are made again. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct policy_decision);
	__type(value, struct verdict_counter);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} verdicts SEC(".maps");
