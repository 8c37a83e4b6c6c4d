/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "maps/hosts.h"
#include "maps/state.h"
#include "net/address.h"

/* The settings; NULL: no agent has written any yet. */
static __always_inline const struct settings *settings_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&settings, &zero);
}

static __always_inline bool is_left_to_host(const struct settings *settings)
{
	return settings->service_handling == SERVICES_LEFT_TO_HOST;
}

/* Whether wrapped packets may travel between nodes only encrypted. */
static __always_inline bool encrypts(const struct settings *settings)
{
	return settings->flags & SETTINGS_ENCRYPTION;
}

static __always_inline bool counts_services(const struct settings *settings)
{
	return settings->flags & SETTINGS_SERVICE_COUNTS;
}

/* This node's address in the family of `address`; ::, if it has none. */
static __always_inline const struct address *own_address_like(const struct settings *settings, const struct address *address)
{
	return is_ipv4(address) == is_ipv4(&settings->node) ? &settings->node : &settings->second;
}

/* This node's address in the family of `address` at an interface; if the interface has none, the node's own. */
static __always_inline const struct address *address_at(const struct settings *settings, __u32 interface, const struct address *address)
{
	const struct uplink *uplink = bpf_map_lookup_elem(&uplinks, &interface);
	const struct address *own = !uplink ? NULL : is_ipv4(address) ? &uplink->ipv4 : &uplink->ipv6;

	return own && !address_is_unset(own) ? own : own_address_like(settings, address);
}
