/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "packet.h"

/* The hooks of IPv6 sockets see addresses of both families: a socket for both families (of Java, or a listener of Go) writes IPv4 as
 * ::ffff:a.b.c.d, as all our code does. (Datagrams that such a socket sends to IPv4 come through sendmsg4.) */
enum family {
	FAMILY_IPV4,
	FAMILY_IPV6,
};

/* False: the address belongs to no service or backend, because it is link-local or in ::/96, where our maps have keys for node ports. Of
 * ::/96 only :: and ::1 are a host's addresses, its loopback. */
static __always_inline bool read_address(struct bpf_sock_addr *socket, enum family family, struct address *address)
{
	if (family == FAMILY_IPV4) {
		*address = address_from_ipv4(socket->user_ip4);
		return true;
	}
	address->word[0] = socket->user_ip6[0];
	address->word[1] = socket->user_ip6[1];
	address->word[2] = socket->user_ip6[2];
	address->word[3] = socket->user_ip6[3];
	if (is_ipv4(address))
		return true;
	return !is_link_local(address) && (!is_reserved_for_keys(address) || is_loopback(address));
}

/* Never writes an address of the other family: a socket may be limited to its own (IPV6_V6ONLY). */
static __always_inline void write_address(struct bpf_sock_addr *socket, enum family family,
					  const struct address *address, __be16 port)
{
	if (family == FAMILY_IPV4) {
		socket->user_ip4 = address_to_ipv4(address);
	} else {
		socket->user_ip6[0] = address->word[0];
		socket->user_ip6[1] = address->word[1];
		socket->user_ip6[2] = address->word[2];
		socket->user_ip6[3] = address->word[3];
	}
	socket->user_port = port;
}
