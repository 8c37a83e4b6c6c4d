import { z } from "zod";
import { metadata } from "../../model/objects/metadata.ts";
import { labelSelector, type NetworkPolicy } from "../../model/objects/networking.ts";

const subject = z.object({ metadata });
const selector = z.object({ spec: z.object({ podSelector: labelSelector.nullish() }) });
const types = z.object({ spec: z.object({ policyTypes: z.array(z.enum(["Ingress", "Egress"])).min(1) }) });

/** The effect of an invalid NetworkPolicy: it isolates its pods and allows nothing. Its pods are those that its selector
 * selects if that is valid, otherwise all of its namespace; likewise its directions, otherwise both. It never opens. */
export function closedPolicy(object: unknown): NetworkPolicy | undefined {
  const named = subject.safeParse(object);
  if (!named.success) return undefined;
  const pods = selector.safeParse(object);
  const directions = types.safeParse(object);
  return {
    metadata: named.data.metadata,
    spec: {
      podSelector: pods.success ? pods.data.spec.podSelector : undefined,
      policyTypes: directions.success ? directions.data.spec.policyTypes : ["Ingress", "Egress"],
      ingress: [],
      egress: [],
    },
  };
}
