/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "maps/state.h"
#include "scratch.h"

/* The ports of a datagram in fragments. The first fragment carries them, and the later ones are read with them (net/parse.h). They are
 * kept only if the first fragment is not dropped. Otherwise anybody who guesses an identification could send, in the name of another
 * host, a first fragment with other ports, and the later fragments of that host would become part of another flow. */

/* Whether the later fragments may be read. Those of SCTP that cannot be translated end with the same outcome as their first. */
static __always_inline bool keeps_ports(const struct plan *plan)
{
	return plan->is_first_fragment && (plan->exit != EXIT_DROP || plan->outcome == OUTCOME_DROP_SCTP_FRAGMENT);
}

__global int keep_first_fragment(void)
{
	struct scratch *scratch = scratch_get();

	if (scratch)
		bpf_map_update_elem(&fragments, &scratch->datagram, &scratch->ports, BPF_ANY);
	return 0;
}
