/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include <linux/types.h>

/* Every packet that our programs see ends in exactly one outcome, and is counted there (map `outcomes`): each run of a program counts
 * one. The exceptions: to_uplink does not count packets that another of our programs sent and counted (MARK_FORWARDED), and the programs
 * at both ends of the tunnel's device do not count the node's own SCTP on its way into and out of our programs (decide/own_request.h).
 * Metrics and people see the names: OUTCOME_DROP_POLICY_INGRESS is "drop_policy_ingress". */
enum outcome {
	OUTCOME_PASS_TO_STACK,	    /* left to the kernel */
	OUTCOME_TO_ENDPOINT,	    /* delivered to a workload of this node */
	OUTCOME_TO_NETWORK,	    /* sent out of an uplink */
	OUTCOME_TO_OVERLAY,	    /* wrapped for a workload of another node, or for its egress gateway */
	OUTCOME_FORWARD_SERVICE,    /* entry node: wrapped for the backend's node */
	OUTCOME_RETURN_DIRECT,	    /* backend's node: reply straight to the client */
	OUTCOME_RETURN_VIA_ENTRY,   /* backend's node: reply wrapped for the entry node */
	OUTCOME_RETURN_FORWARDED,   /* entry node: reply passed on to the client */
	OUTCOME_REJECT_NO_BACKEND,  /* answered with RST or ICMP port unreachable */
	OUTCOME_REJECT_GONE,	    /* the connection's backend is gone: answered with RST */
	OUTCOME_REJECT_NO_SERVICE,  /* no service has this port of the cluster address: answered likewise */
	OUTCOME_DROP_POLICY_INGRESS,
	OUTCOME_DROP_POLICY_EGRESS,
	OUTCOME_DROP_NO_LOCAL_BACKEND,	/* externalTrafficPolicy: Local, and none here */
	OUTCOME_DROP_UNKNOWN_ENDPOINT,	/* a workload address or interface without an entry, or an address that no Service has */
	OUTCOME_DROP_SPOOFED_SOURCE,	/* a workload used an address that is not its own */
	OUTCOME_DROP_UNKNOWN_TUNNEL_PEER,
	OUTCOME_DROP_MALFORMED,
	OUTCOME_DROP_FRAGMENT,		/* a later fragment whose first was not seen, or was dropped */
	OUTCOME_DROP_UNSUPPORTED,	/* a protocol or family that is not handled for workloads */
	OUTCOME_DROP_CONNECTION_TABLE_FULL,
	OUTCOME_DROP_PORT_COLLISION,	/* no free source port for two flows that meet at one backend */
	OUTCOME_DROP_NO_ROUTE,
	OUTCOME_DROP_MARTIAN_SOURCE,	/* from the network, with a source that no host on a network may use */
	OUTCOME_DROP_UNRELATED,		/* an ICMP error, or a wrapped reply, that belongs to no live connection; while connections are taken over, what opens none */
	OUTCOME_DROP_TAGGED,		/* a workload sent a frame with a VLAN tag */
	OUTCOME_DROP_TUNNEL_FROM_WORKLOAD, /* a workload, or a process of the node, sent to the tunnel's port */
	OUTCOME_DROP_SOURCE_RANGE,	/* the client is in none of the loadBalancerSourceRanges of the address */
	OUTCOME_ANSWER_NEIGHBOUR,	/* a request for the hardware address of a load balancer's address: answered */
	OUTCOME_DROP_ADDRESS_CLAIM,	/* another host says that it has a load balancer's address that this node announces */
	OUTCOME_DROP_SCTP_FRAGMENT,	/* its checksum covers all fragments, so that its ports cannot be rewritten */
	OUTCOME_FORWARD_EXTERNAL,	/* to a host outside the cluster, with this node's address as source */
	OUTCOME_RETURN_EXTERNAL,	/* its reply, passed on to the client */
	OUTCOME_ANSWER_EXPIRED,		/* no hop left for the way to the backend's node: answered with ICMP time exceeded */
	OUTCOME_ANSWER_TOO_BIG,		/* does not fit the way on: answered with the size that does */
	OUTCOME_DROP_BANDWIDTH,		/* exceeds what its workload may send or receive in a time */
	OUTCOME_DROP_PORTS_EXHAUSTED,	/* no port of this node is free to stand for a client towards a host outside */
	OUTCOME_DROP_NO_EGRESS_GATEWAY,	/* a workload that may leave the cluster only by a gateway: none is ready, or this node is not it */
	OUTCOME_DROP_NOT_ENCRYPTED,	/* between nodes that encrypt: one of them has sent it, or would send it, as it is */
	OUTCOME_COUNT,
};

struct outcome_counter {
	__u64 packets;
	__u64 bytes;
	__u64 early; /* of the packets, those that ended in an uplink's card (xdp.bpf.c) */
};
