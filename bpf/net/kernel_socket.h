/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "address.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* Sockets as the kernel itself has them, for programs that it hands one: of its types, the fields that are read here. The loader finds
 * where this kernel has them (CO-RE). */

#define __of_kernel __attribute__((preserve_access_index))

struct net {
	__u64 net_cookie;
} __of_kernel;

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num; /* its own port, in the host's byte order */
	unsigned short skc_family;
	int skc_bound_dev_if;
	struct {
		struct net *net;
	} __of_kernel skc_net;
	struct {
		__u64 counter;
	} __of_kernel skc_cookie;
	struct address skc_v6_daddr;
	struct address skc_v6_rcv_saddr;
} __of_kernel;

struct sock {
	struct sock_common __sk_common;
	__u16 sk_protocol;
} __of_kernel;

#define AF_INET 2

/* Whether it is connected to that place. A socket of AF_INET6 has the address of an IPv4 peer in both fields. */
static __always_inline bool is_peer(const struct sock *socket, const struct address *address, __be16 port)
{
	const struct sock_common *own = &socket->__sk_common;

	if (own->skc_dport != port)
		return false;
	if (is_ipv4(address))
		return own->skc_daddr == address_to_ipv4(address);
	return own->skc_v6_daddr.word[0] == address->word[0] && own->skc_v6_daddr.word[1] == address->word[1] &&
	       own->skc_v6_daddr.word[2] == address->word[2] && own->skc_v6_daddr.word[3] == address->word[3];
}

/* The address that it receives at; ::, at any. */
static __always_inline struct address own_address_of(const struct sock *socket)
{
	const struct sock_common *own = &socket->__sk_common;

	if (own->skc_family == AF_INET)
		return address_from_ipv4(own->skc_rcv_saddr);
	return (struct address){.word = {own->skc_v6_rcv_saddr.word[0], own->skc_v6_rcv_saddr.word[1],
					 own->skc_v6_rcv_saddr.word[2], own->skc_v6_rcv_saddr.word[3]}};
}

static __always_inline __be16 own_port_of(const struct sock *socket)
{
	return bpf_htons(socket->__sk_common.skc_num);
}
