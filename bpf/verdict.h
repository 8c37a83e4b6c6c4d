/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "shared/outcome.h"

/* A verdict is what judging answers: ALLOWED, or the outcome of the refusal. */
#define ALLOWED OUTCOME_PASS_TO_STACK
