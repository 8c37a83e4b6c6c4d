// The short campaigns of the tests.

export const SEED = Number(process.env.SEED || 30905);

/** Outcomes: a campaign that reaches none of these tests nothing. */
export const EXERCISED = [
  ...[
    "pass_to_stack",
    "to_endpoint",
    "to_network",
    "to_overlay",
    "forward_service",
    "return_direct",
    "return_via_entry",
  ],
  ...["return_forwarded", "reject_no_backend", "drop_policy_ingress", "drop_policy_egress", "drop_no_local_backend"],
  ...["drop_unknown_endpoint", "drop_spoofed_source", "drop_unknown_tunnel_peer", "drop_malformed", "drop_fragment"],
  "drop_unsupported",
];
