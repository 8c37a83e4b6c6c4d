/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include <linux/types.h>

/* An IP address of either family: IPv6 as it is, IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2), so that
 * one code path and one key serves both. Network byte order. */
struct address {
	__be32 word[4];
};
