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

const SUFFIXES: Readonly<Record<string, number>> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 },
};

/** Of Kubernetes' resource quantities: a number with a suffix or an exponent. */
const QUANTITY = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/;

/** Upstream's limits. */
const [LEAST, MOST] = [1e3, 1e15];

/** A quantity in bits per second; undefined: not one, or not one that a pod can have. */
function bandwidth(text: string): number | undefined {
  const [, number, exponent = "", suffix = ""] = QUANTITY.exec(text) ?? [];
  if (number === undefined) return undefined;
  const bits = Math.ceil(Number(number + exponent) * (SUFFIXES[suffix] ?? 1));
  return bits >= LEAST && bits <= MOST ? bits : undefined;
}

/** What a pod's annotations say. One that is not understood says nothing. */
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
