import { kinds } from "../../model/objects/kinds.ts";
import type { KindDefinition } from "./definition.ts";
import { CIDR } from "./ipam-block-kind.ts";
import { obeying, object, SELECTOR, sequence, text, withoutGlobal } from "./rule-schema.ts";

const ADDRESS = text({ maxLength: 45, pattern: "^[0-9a-fA-F:.]+$" });
const filled = (field: string): string => `(has(self.${field}) && size(self.${field}) > 0)`;

/** This project's own kind: by which node some pods leave the cluster. */
export const EGRESS_GATEWAY: KindDefinition = {
  ...kinds.egressGateways,
  columns: { Pods: ".spec.podSelector", Namespaces: ".spec.namespaceSelector", Nodes: ".spec.nodeSelector" },
  spec: obeying(
    object(
      {
        namespaceSelector: { ...SELECTOR, description: "Namespaces of the pods, in Calico's selector language." },
        podSelector: { ...SELECTOR, description: "The pods; one of both is needed." },
        nodeSelector: {
          ...SELECTOR,
          minLength: 1,
          description: "Nodes that may be the gateway: the first by name that is ready.",
        },
        destinations: { ...sequence(CIDR, 64), description: "Networks outside the cluster; by default all addresses." },
        exceptions: { ...sequence(CIDR, 64), description: "Networks that the pods reach as their pool says." },
        addresses: {
          ...sequence(ADDRESS, 2),
          description: "Addresses of the gateway that hosts outside see, at most one of each family.",
        },
      },
      { required: ["nodeSelector"] },
    ),
    [
      {
        rule: `${filled("namespaceSelector")} || ${filled("podSelector")}`,
        message: 'needs podSelector or namespaceSelector; "all()" means every pod',
      },
      ...withoutGlobal("namespaceSelector", "podSelector", "nodeSelector"),
    ],
  ),
};
