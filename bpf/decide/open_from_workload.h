/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "outgoing.h"

/* New connections of workloads. */

/* A new connection of a workload. */
__global int decide_new_from_workload(struct __sk_buff *skb, struct packet *packet, const struct settings *settings, struct plan *plan)
{
	const struct location *location = NULL;
	const struct service *service;
	bool for_workload;
	__u32 to;

	if (!skb || !packet || !settings || !plan)
		return 0;
	if (may_be_known_soon(skb, packet, settings)) {
		drop(plan, OUTCOME_DROP_UNRELATED);
		return 0;
	}
	service = service_opened_by(packet, settings, NULL, plan, &location, &for_workload);
	to = location_flags(location);
	if (service && is_handled_here(service, settings))
		open_service(skb, packet, settings, service, NULL, plan);
	else if (service)
		open_plain(&packet->tuple, plan, CONNECTION_VIA_STACK | CONNECTION_JUDGED_LATER);
	else if ((to & LOCATION_LOCAL_HOST) && (settings->flags & SETTINGS_WORKLOADS_TO_HOST))
		open_to_host(packet, plan);
	else if (to & LOCATION_LOCAL_HOST)
		pass_to_stack(plan);
	else if (!may_be_cluster_address(to) || !decide_unserved(packet, settings, plan))
		open_to_network(skb, &packet->tuple, settings, to, plan);
	return 0;
}

static __always_inline void open_from_workload(struct packet *packet, const struct settings *settings, struct plan *plan)
{
	struct __sk_buff *skb = packet->skb;

	decide_new_from_workload(skb, packet, settings, plan);
	restore_pointers(packet, skb, NULL);
}
