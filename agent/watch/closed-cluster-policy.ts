import { z } from "zod";
import { type ClusterNetworkPolicy, clusterNetworkPolicy } from "../../model/objects/cluster-network-policy.ts";
import { metadata } from "../../model/objects/metadata.ts";
import { SYSTEM_NAMESPACE } from "./system-namespace.ts";

const { shape } = clusterNetworkPolicy.shape.spec;
/** What cannot be read: the first place, and every pod outside the system's namespace. */
const placed = z.object({
  metadata,
  spec: z.object({
    tier: shape.tier.catch("Admin"),
    priority: shape.priority.catch(0),
    subject: shape.subject.catch({
      namespaces: {
        matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "NotIn", values: [SYSTEM_NAMESPACE] }],
      },
    }),
  }),
});
/** Every key that exists: another one may be a misspelt direction. */
const present = z.object({
  spec: z.strictObject({
    tier: z.unknown(),
    priority: z.unknown(),
    subject: z.unknown(),
    ingress: z.array(z.unknown()).nullish(),
    egress: z.array(z.unknown()).nullish(),
  }),
});

const EVERY_NAMESPACE = { namespaces: { matchExpressions: [] } };
const EVERYWHERE = { networks: ["0.0.0.0/0", "::/0"] };

/** What stands for a ClusterNetworkPolicy that cannot be read: it denies everything to its pods, in the directions that it has rules for. */
export function closedClusterPolicy(object: unknown): ClusterNetworkPolicy | undefined {
  const read = placed.safeParse(object).data;
  if (!read) return undefined;
  const rules = present.safeParse(object).data?.spec;
  const isClosed = (direction: "ingress" | "egress") => !rules || (rules[direction]?.length ?? 0) > 0;
  const deny = { action: "Deny" as const };
  return {
    metadata: read.metadata,
    spec: {
      ...read.spec,
      ingress: isClosed("ingress") ? [{ ...deny, from: [EVERY_NAMESPACE] }] : [],
      egress: isClosed("egress") ? [{ ...deny, to: [EVERYWHERE] }] : [],
    },
  };
}
