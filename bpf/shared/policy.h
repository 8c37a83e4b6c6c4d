/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include <linux/types.h>

enum direction {
	DIRECTION_INGRESS = 0,
	DIRECTION_EGRESS = 1,
};

enum policy_verdict {
	POLICY_ALLOW = 1,
	POLICY_DENY = 2,
};

/* Longest-prefix key. The fixed part is (policy, identity, direction); protocol and port may be shortened:
 * prefix_length 72 is "any protocol", 80 "any port", 80 + n a port range of 2^(16-n) ports.
 * The packet path asks twice: with the peer's identity, then with POLICY_ANY_IDENTITY. An entry for an
 * identity is final for that peer: the compiler has merged the rules for any peer into it. */
#define POLICY_ANY_IDENTITY 0xffffffffu
struct policy_key {
	__u32 prefix_length;
	__u32 policy;
	__u32 identity;
	__u8 direction; /* enum direction */
	__u8 protocol;
	__be16 port; /* destination port; 0 where the protocol has none */
};

struct policy_value {
	__u32 verdict; /* enum policy_verdict */
};
