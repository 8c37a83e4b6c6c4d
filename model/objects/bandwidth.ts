import { quantityOf } from "./quantity.ts";

/** What a pod may receive and send, in bits per second; absent: as much as it can. */
export interface Bandwidths {
  readonly ingress?: number;
  readonly egress?: number;
}

/** Annotations of Pods, as the runtimes hand them to the CNI plugin `bandwidth`. */
export const BANDWIDTH = {
  ingress: "kubernetes.io/ingress-bandwidth",
  egress: "kubernetes.io/egress-bandwidth",
} as const;

/** Upstream's limits. */
const [LEAST, MOST] = [1e3, 1e15];

/** A quantity in bits per second; undefined: not one, or not one that a pod can have. */
function bandwidth(text: string): number | undefined {
  const quantity = quantityOf(text);
  if (quantity === undefined) return undefined;
  const bits = Math.ceil(quantity);
  return bits >= LEAST && bits <= MOST ? bits : undefined;
}

/** The limits in a pod's annotations. An annotation that is not understood has no effect. */
export function bandwidthsOf(annotations: Readonly<Record<string, string>> = {}): Bandwidths {
  const of = (name: string) => bandwidth(annotations[name] ?? "");
  const [ingress, egress] = [of(BANDWIDTH.ingress), of(BANDWIDTH.egress)];
  return { ...(ingress !== undefined && { ingress }), ...(egress !== undefined && { egress }) };
}

/** What is wrong with the text of such an annotation. */
export function bandwidthProblem(text: string): string | undefined {
  if (bandwidth(text) !== undefined) return undefined;
  return `${JSON.stringify(text.slice(0, 40))} is not followed, and the pod's traffic is not limited: it must be a quantity of bits per second from 1k to 1P, such as 10M.`;
}
