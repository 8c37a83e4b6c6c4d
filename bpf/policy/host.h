/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../maps/hosts.h"
#include "../scratch.h"
#include "../settings.h"
#include "../shared/policy.h"
#include "sender.h"

/* The node itself as an end of a flow. It has a policy for each interface by which its packets come and go, and no policy while
 * SETTINGS_HOST_POLICIES is not set. */

static __always_inline bool has_host_policies(const struct settings *settings)
{
	return settings->flags & SETTINGS_HOST_POLICIES;
}

/* Whether the address is the node's, and packets that the node itself sends and receives are judged. */
static __always_inline bool is_for_host(const struct settings *settings, const struct address *address)
{
	return has_host_policies(settings) && is_local_host(settings, address);
}

/* The node's policy at an interface; NULL: nothing is judged there. */
static __always_inline const struct endpoint *host_endpoint_at(__u32 interface, enum host_stage stage)
{
	struct judged_host key = {.interface = interface, .stage = stage};
	const struct endpoint *endpoint = bpf_map_lookup_elem(&host_endpoints, &key);

	if (endpoint || interface == FROM_WORKLOADS)
		return endpoint;
	key.interface = ANY_INTERFACE;
	return bpf_map_lookup_elem(&host_endpoints, &key);
}

/* Whether host endpoints have policies for packets other than the node's own (stages.h). */
static __always_inline bool has_host_stages(const struct settings *settings)
{
	return settings->host_revision;
}

/* Workloads have an interface. */
static __always_inline bool is_host(const struct endpoint *endpoint)
{
	return !endpoint->ifindex;
}

/* Whether no policy may close the port of this flow on a host. Asked only before a refusal. */
__global bool is_failsafe(const struct tuple *flow, enum direction direction)
{
	struct failsafe key = {.prefix_length = 160, .direction = direction};

	if (!flow || !begins_with_ports(flow->protocol))
		return false;
	key.protocol = flow->protocol;
	key.port = flow->destination_port;
	key.peer = direction == DIRECTION_INGRESS ? flow->source : flow->destination;
	return bpf_map_lookup_elem(&failsafes, &key);
}

/* Allows the flow in place of a denial, if it is to a fail-safe port. @return whether it is allowed */
static __always_inline bool keeps_open(const struct endpoint *endpoint, const struct tuple *flow, enum direction direction,
				       struct scratch *scratch)
{
	if (!is_host(endpoint) || (endpoint->flags & ENDPOINT_WITHOUT_FAILSAFES) || !is_failsafe(flow, direction))
		return false;
	scratch->judgements[direction].verdict = POLICY_ALLOW;
	return true;
}

/* The ends of a flow on this node. NULL: the end is elsewhere, or nothing is judged there. */
struct ends {
	const struct endpoint *source;
	const struct endpoint *destination;
};

/* The node as the end of a flow whose workloads on this node are already known. The node always reaches its own workloads. */
static __always_inline void add_host(struct ends *ends, const struct tuple *flow, const struct settings *settings, __u32 interface)
{
	if (ends->destination || (ends->source && !(settings->flags & SETTINGS_WORKLOADS_TO_HOST)))
		return;
	if (is_local_host(settings, &flow->destination))
		ends->destination = host_endpoint_at(ends->source ? FROM_WORKLOADS : interface, HOST_OWN);
	else if (!ends->source && is_local_host(settings, &flow->source))
		ends->source = host_endpoint_at(interface, HOST_OWN);
}

static __always_inline void find_ends(struct ends *ends, const struct tuple *flow, const struct settings *settings,
				      const struct scratch *scratch)
{
	ends->source = is_sender(scratch, &flow->source) ? NULL : bpf_map_lookup_elem(&endpoints, &flow->source);
	ends->destination = bpf_map_lookup_elem(&endpoints, &flow->destination);
	if (has_host_policies(settings))
		add_host(ends, flow, settings, scratch->interface);
}
