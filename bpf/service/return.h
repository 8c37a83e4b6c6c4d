/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../shared/settings.h"
#include "source_range.h"

/* Whether replies of a connection that enters here go straight from the backend's node to the client. The service decides, otherwise the
 * settings. A client that cannot accept replies from another node overrides both. */
static __always_inline bool returns_directly(const struct settings *settings, const struct service *service,
					     const struct address *client)
{
	bool direct = service->flags & (SERVICE_RETURN_DIRECT | SERVICE_RETURN_TUNNEL)
			      ? service->flags & SERVICE_RETURN_DIRECT
			      : settings->return_mode == RETURN_DIRECT;

	return direct && !((settings->flags & SETTINGS_TUNNEL_CLIENTS) && is_in_source_ranges(TUNNEL_CLIENTS, client));
}
