import { kinds } from "../../model/objects/kinds.ts";
import type { KindDefinition } from "./definition.ts";
import { choice, integer, LABEL_SELECTOR, object, sequence, set, text } from "./rule-schema.ts";

// projectcalico.org/v3 StagedKubernetesNetworkPolicy: the spec of a networking.k8s.io/v1 NetworkPolicy, and what is to become of it.

const PEERS = sequence(
  object({
    podSelector: LABEL_SELECTOR,
    namespaceSelector: LABEL_SELECTOR,
    ipBlock: object({ cidr: text(), except: sequence(text()) }, { required: ["cidr"] }),
  }),
);
const PORTS = sequence(
  object({
    protocol: choice("TCP", "UDP", "SCTP"),
    port: { x_kubernetes_int_or_string: true, anyOf: [{ type: "integer" }, { type: "string" }] },
    endPort: integer(1, 65_535),
  }),
);

export const STAGED_KUBERNETES_NETWORK_POLICY: KindDefinition = {
  ...kinds.stagedKubernetesNetworkPolicies,
  shortNames: ["sknp"],
  columns: { Action: ".spec.stagedAction" },
  spec: object({
    stagedAction: { ...choice("Set", "Delete", "Learn", "Ignore"), default: "Set" },
    podSelector: LABEL_SELECTOR,
    policyTypes: set(choice("Ingress", "Egress"), { minItems: 1, maxItems: 2 }),
    ingress: sequence(object({ from: PEERS, ports: PORTS })),
    egress: sequence(object({ to: PEERS, ports: PORTS })),
  }),
};
