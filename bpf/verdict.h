/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "shared/outcome.h"

/* A verdict is the result of judging: ALLOWED, or the outcome of the refusal. */
#define ALLOWED OUTCOME_PASS_TO_STACK

static __always_inline bool is_refused_by_policy(__u8 outcome)
{
	return outcome == OUTCOME_DROP_POLICY_INGRESS || outcome == OUTCOME_DROP_POLICY_EGRESS;
}
