import type { Expectation } from "../../components/documents/check.ts";
import type { Destination } from "../../model/expectation/destination.ts";
import type { Place } from "../../model/expectation/place.ts";
import type { Dns, Probe } from "../../probe/batch.ts";
import { type ClusterView, nodeAddresses, podName, referenceOf } from "../cluster/view.ts";
import { podDns } from "./dns.ts";
import { hostAddresses, livePods, NotYet } from "./lookup.ts";

/** The source of a probe. */
export type Prober = { kind: "machine"; name: string } | { kind: "node"; name: string };

export interface PlannedProbe {
  prober: Prober;
  probe: Probe;
}

/** A resolved expectation: its probes, or why there are none. */
export interface Plan {
  expectation: Expectation;
  destination: Destination;
  probes: PlannedProbe[];
  /** The node that owns the destination address, if `reply` is expected. */
  entry?: { node: string; address: string };
  /** Why nothing can be probed now. */
  notYet?: string;
  /** Why the entry node is not watched. */
  lost?: string;
}

/**
 * The place that sends a probe. Called for every expectation of a round, so it throws `NotYet` for missing objects without affecting
 * the others.
 */
interface Origin {
  prober: Prober;
  pod?: string;
  dns?: Dns;
}

/** Creates the probes of an expectation: from every pod that `from` selects, to every address of `to`. */
export function planExpectation(view: ClusterView, expectation: Expectation, newToken: () => string): Plan {
  const destination = expectation.to.value;
  const plan: Plan = { expectation, destination, probes: [] };
  try {
    const origins = originsOf(view, expectation.from.value);
    const { family, http, size, icmp } = expectation;
    const addresses = hostAddresses(view, destination.host, family);
    if (expectation.reply) plan.entry = entryOf(view, addresses[0] ?? "");
    plan.probes = origins.flatMap(({ prober, pod, dns }) =>
      addresses.map((host) => {
        const token = newToken();
        const { port, protocol } = destination;
        const { sourcePort, count } = expectation;
        const own = {
          family,
          size,
          icmp,
          path: http?.path,
          keep: keepOf(expectation, addresses.length > 1 ? host : ""),
        };
        return {
          prober,
          probe: { id: token, token, pod, host, port, protocol, sourcePort, timeoutMs: silenceMs, count, dns, ...own },
        };
      }),
    );
  } catch (error) {
    if (!(error instanceof NotYet)) throw error;
    plan.notYet = error.message;
  }
  return plan;
}

/** A kept connection is named after source, destination and port as they are in the file, so that it continues when a name gets another
 * address. @param host which one, if there are several */
const keepOf = ({ keep, from, to, sourcePort }: Expectation, host: string): Probe["keep"] =>
  keep ? { socket: [from.text, to.text, host, sourcePort].join(" "), step: 1 } : undefined;

/** Longer than the first retransmission of a SYN, shorter than an unanswered ARP; see the probe's own field. */
const silenceMs = 2000;

function originsOf(view: ClusterView, place: Place): Origin[] {
  if (place.kind === "machine") return [{ prober: place }];
  if (place.kind === "node") return [{ prober: nodeProber(view, place.name) }];
  return livePods(view, place).map((pod) => {
    if (pod.status?.phase !== "Running") throw new NotYet(`pod ${podName(pod)} is ${pod.status?.phase}`);
    const prober = nodeProber(view, pod.spec?.nodeName ?? "");
    // A host-network pod uses its node's network namespace.
    return { prober, pod: pod.spec?.hostNetwork ? undefined : referenceOf(pod), dns: podDns(view, pod) };
  });
}

function nodeProber(view: ClusterView, name: string): Prober & { kind: "node" } {
  if (!view.nodes.some(({ metadata }) => metadata?.name === name)) {
    const names = view.nodes.map(({ metadata }) => metadata?.name).join(", ");
    throw new NotYet(`node ${name} does not exist; nodes: ${names}`);
  }
  return { kind: "node", name };
}

function entryOf(view: ClusterView, address: string) {
  const node = view.nodes.find((one) => nodeAddresses(one).includes(address))?.metadata?.name;
  if (!node) throw new NotYet(`reply is judged on the node that owns the destination, and no node owns ${address}`);
  return { node, address };
}
