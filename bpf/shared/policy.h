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
	POLICY_BY_SOURCE_PORT = 3, /* depends on the source port: `rule` numbers the table that knows */
	POLICY_NEXT = 4,	   /* of a stage before others (enum host_stage): no rule of it decides */
	POLICY_BY_OWN_SIDE = 5,	   /* under POLICY_OWN_SIDE: `rule` numbers the policy that is asked instead */
};

enum policy_flag {
	POLICY_LOGGED = 1 << 0, /* a Log rule matches: reported */
};

/* Longest-prefix key. The fixed part is (policy, identity, direction); protocol and port may be shortened:
 * prefix_length 72 is "any protocol", 80 "any port", 80 + n a port range of 2^(16-n) ports.
 * The packet path asks twice: with the peer's identity, then with POLICY_ANY_IDENTITY. An entry for an
 * identity is final for that peer: the compiler has merged the rules for any peer into it. Where the answer is
 * POLICY_BY_SOURCE_PORT it asks once more: with the table's number in place of the identity, POLICY_SOURCE_PORT in the
 * direction and the source port in place of the destination port. Tables are numbered within their policy and direction.
 * Where rules ask who the end on the policy's own side is (ENDPOINT_BY_OWN_SIDE), it asks first of all with that end's identity and
 * POLICY_OWN_SIDE in the direction: no entry, the policy itself holds. */
#define POLICY_ANY_IDENTITY 0xffffffffu
#define POLICY_SOURCE_PORT 2
#define POLICY_OWN_SIDE 4
struct policy_key {
	__u32 prefix_length;
	__u32 policy;
	__u32 identity;
	__u8 direction; /* enum direction, with POLICY_SOURCE_PORT in a table of source ports, with POLICY_OWN_SIDE in one of own sides */
	__u8 protocol;
	__be16 port; /* destination port; ICMP, ICMPv6: type << 8 | code; 0 where the protocol has neither */
};

struct policy_value {
	__u16 verdict; /* enum policy_verdict */
	__u16 flags;   /* enum policy_flag */
	__u32 rule;    /* DENY, LOGGED: number of the reason, for people; BY_SOURCE_PORT: of the table; BY_OWN_SIDE: of a policy */
};

/* The answer of one direction of an endpoint's policy about a flow. */
struct judgement {
	__u32 policy;
	__u32 identity; /* of the peer */
	__u32 rule;	/* number of the reason of a denial and of the Log rules that matched; 0: no entry matched, the policy's default */
	__u8 verdict;	/* enum policy_verdict: ALLOW, DENY or NEXT; 0: no policy had to be asked */
	__u8 flags;	/* enum policy_flag */
	__u8 direction; /* enum direction */
	__u8 by_source_port; /* 1: another flow between the same ends may get another verdict */
};

/* The verdicts of one endpoint's policy, counted (map `verdicts`). */
struct policy_decision {
	__u32 policy;
	__u32 rule;	/* of a denial; 0: no entry matched, the policy's default for this direction */
	__u8 direction; /* enum direction */
	__u8 verdict;	/* enum policy_verdict: ALLOW or DENY */
	__u8 padding[2];
};

struct verdict_counter {
	__u64 flows; /* connections that opened, or were judged again; refused packets */
};
