/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "packet.h"

/* Programs of one IPv6 socket for both families (Java's, Go's listeners) write IPv4 as ::ffff:a.b.c.d. The kernel calls
 * the hooks of IPv6 for these addresses, but for datagrams that are sent: those come by sendmsg4. */
enum family {
	FAMILY_IPV4,
	FAMILY_IPV6,
};

/* False: an address of IPv6 itself. */
static __always_inline bool read_address(struct bpf_sock_addr *socket, enum family family, struct address *address)
{
	if (family == FAMILY_IPV4) {
		*address = address_from_ipv4(socket->user_ip4);
		return true;
	}
	if (socket->user_ip6[0] || socket->user_ip6[1] || socket->user_ip6[2] != bpf_htonl(0xffff))
		return false;
	*address = address_from_ipv4(socket->user_ip6[3]);
	return true;
}

static __always_inline void write_address(struct bpf_sock_addr *socket, enum family family,
					  const struct address *address, __be16 port)
{
	if (family == FAMILY_IPV4)
		socket->user_ip4 = address_to_ipv4(address);
	else
		socket->user_ip6[3] = address_to_ipv4(address);
	socket->user_port = port;
}
