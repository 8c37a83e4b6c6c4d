import {
  Direction,
  type Endpoint,
  EndpointFlag,
  POLICY_ANY_IDENTITY,
  POLICY_OWN_SIDE,
  POLICY_SOURCE_PORT,
  type PolicyValue,
  PolicyVerdict,
} from "../../kernel/layout.gen.ts";
import type { MapStores } from "../../kernel/map-store.ts";
import type { Asked } from "./answers.ts";

const WHOLE_KEY = 96; // bits of policy_key behind its prefix length

/** The verdict of one direction of an endpoint's policy in the maps: as bpf/policy/ask.h. */
export function verdictInMaps(
  { policies }: Pick<MapStores, "policies">,
  direction: "egress" | "ingress",
  { policy }: Endpoint,
  identity: number,
  flow: Asked,
): "allow" | "deny" {
  const key = {
    ...{ prefixLength: WHOLE_KEY, policy, identity, protocol: flow.protocol, port: flow.port },
    direction: direction === "ingress" ? Direction.INGRESS : Direction.EGRESS,
  };
  const value = policies.lookup(key) ?? policies.lookup({ ...key, identity: POLICY_ANY_IDENTITY });
  if (value?.verdict !== PolicyVerdict.BY_SOURCE_PORT) return inWords(value);
  const bySource = {
    ...key,
    direction: key.direction | POLICY_SOURCE_PORT,
    identity: value.rule,
    port: flow.sourcePort,
  };
  return inWords(policies.lookup(bySource));
}

/** The endpoint with the policy that holds for a flow whose end on its side has this identity: as bpf/policy/ask.h. */
export function atOwnSide(
  { policies }: Pick<MapStores, "policies">,
  endpoint: Endpoint,
  side: Direction,
  identity = 0,
): Endpoint {
  if (!(endpoint.flags & EndpointFlag.BY_OWN_SIDE)) return endpoint;
  const rest = { prefixLength: WHOLE_KEY, policy: endpoint.policy, protocol: 0, port: 0 };
  const instead = policies.lookup({ ...rest, identity, direction: side | POLICY_OWN_SIDE });
  return instead ? { ...endpoint, policy: instead.rule } : endpoint;
}

function inWords(value: PolicyValue | undefined): "allow" | "deny" {
  return value?.verdict === PolicyVerdict.ALLOW || value?.verdict === PolicyVerdict.NEXT ? "allow" : "deny";
}
