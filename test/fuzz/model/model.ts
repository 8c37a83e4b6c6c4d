// Which packets may be delivered: an independent account of what must be. It keeps what each pod was given and has sent, as
// seen at the pod, and answers with sentences about what went wrong.

import { mayReceive, maySend, type Party, type Policy } from "../../model/network_policy.ts";
import {
  backendAddress,
  externalAddress,
  guarded,
  localPods,
  nodes,
  pods,
  policies,
  services,
} from "../../packets/cluster.ts";
import { podMacs } from "../../packets/node.ts";
import { type Reading, readInner } from "../../packets/reading.ts";
import { type Flow, FragmentMemory, flowOf, keyOf, reversed } from "./flow.ts";
import { type Arrival, forgery, isOwn } from "./sources.ts";

/** One packet and what became of it, tunnels taken off on both sides. */
export interface Passage {
  readonly arrival: Arrival;
  readonly before: Reading;
  readonly after: Reading;
  readonly outcome: string;
  /** Of the frame as it left. */
  readonly destinationMac: string;
  /** The node it was wrapped for; undefined: it was not, or the kernel's device will. */
  readonly wrappedFor: string | undefined;
  readonly redirected: boolean;
  /** It is to be judged behind the stack. */
  readonly judgedLater: boolean;
}

export type Rule = "source" | "clients" | "policy" | "error" | "return" | "forward" | "way" | "form";
export interface Objection {
  readonly rule: Rule;
  readonly why: string;
}

/** RFC 1812, 4.3.2.3: no error is longer. */
const LONGEST_ERROR = 576;
const PROTOCOLS: Record<number, string> = { 1: "ICMP", 6: "TCP", 17: "UDP" };
const local = new Map(localPods.map((pod) => [pod.address, pod]));
const frontendAddresses = new Set([
  ...services.map(({ clusterIP }) => clusterIP),
  externalAddress,
  guarded.address,
  ...Object.values(nodes),
]);

export class Model {
  /** Flows as pods of this node were given them, and as they sent them. */
  readonly #given = new Set<string>();
  readonly #sent = new Set<string>();
  /** What this node wrapped for a backend elsewhere, and for whom. */
  readonly #forwarded = new Map<string, string>();
  /** Flows that came wrapped with a right source, and who wrapped them. */
  readonly #taken = new Map<string, string>();
  readonly #bounced = new Set<string>();
  readonly #became = new Map<string, Flow>();
  readonly #fragments = new FragmentMemory();

  /** Every packet has to be shown, also one that is dropped: its ports may be those of later fragments. */
  see(ip: Reading): void {
    this.#fragments.flowOf(ip);
  }

  /** A pod may send to an address that nobody has yet; whoever has it then may answer. */
  sentToNobody(ip: Reading): void {
    const flow = this.#fragments.flowOf(ip);
    if (flow) this.#sent.add(keyOf(flow));
  }

  /** What was wrong with a packet that was neither dropped nor rejected. */
  judge(passage: Passage): Objection[] {
    const { arrival, before, outcome } = passage;
    const flow = this.#fragments.flowOf(before);
    if (outcome === "pass_to_stack" && arrival.from !== "pod") return this.#passed(passage, flow);
    const forged = forgery(arrival, before.source);
    // A node that forwarded a flow to this one may name another kind for it: it gets nothing by that.
    const isTaken = arrival.from === "tunnel" && flow !== undefined && this.#taken.get(keyOf(flow)) === arrival.node;
    if (forged && !isTaken) return [{ rule: "source", why: forged }];
    if (arrival.from === "tunnel" && flow) this.#taken.set(keyOf(flow), arrival.node);
    if (before.icmp && !before.ports) return this.#error(passage);
    if (!flow) return this.#portless(passage);
    if (isKeptOut(passage, flow)) return [{ rule: "clients", why: `${flow.source} may not use ${flow.destination}` }];
    switch (arrival.from) {
      case "pod":
        return this.#fromPod(passage, arrival.pod, flow);
      case "stack":
        return outcome === "to_endpoint" ? this.#toPod(passage, flow) : [];
      default:
        return this.#fromNetwork(passage, flow);
    }
  }

  /** Flows to go on with. */
  isKnown(flow: Flow): boolean {
    return this.#given.has(keyOf(flow)) || this.#sent.has(keyOf(flow)) || this.#forwarded.has(keyOf(flow));
  }

  /** To the stack, which drops martians itself; but nothing that was wrapped may be believed there. */
  #passed({ arrival, before, after }: Passage, flow: Flow | undefined): Objection[] {
    if (before.source !== after.source)
      return [{ rule: "way", why: `the source ${before.source} became ${after.source}` }];
    if (arrival.from !== "tunnel") return [];
    const forged = forgery(arrival, before.source);
    if (forged) return [{ rule: "source", why: forged }];
    if (flow && arrival.kind === "overlay") this.#bounced.add(keyOf(flow));
    if (arrival.kind !== "return" || !flow) return [];
    return this.#returned(arrival.node, flow);
  }

  #portless({ arrival, before, outcome }: Passage): Objection[] {
    if (arrival.from === "pod" && outcome === "pass_to_stack" && isOwn(before.destination)) return [];
    return [{ rule: "way", why: `protocol ${before.protocol} without ports that can be seen was let through` }];
  }

  #fromPod(passage: Passage, name: string, flow: Flow): Objection[] {
    const { outcome, judgedLater } = passage;
    if (this.#isUnseen(passage, flow)) return this.#believe(passage, flow);
    const after = this.#flowAfter(passage, flow);
    const answers = this.#given.has(keyOf(reversed(flow)));
    const toNode = outcome === "pass_to_stack" && isOwn(after.destination);
    const later = outcome === "pass_to_stack" && judgedLater && frontendAddresses.has(flow.destination);
    const sender = party(backendAddress(name));
    const itself = after.destination === sender.address;
    if (itself && !isForItself(flow, after))
      return [{ rule: "way", why: `${name} was shown ${keyOf(after)} for ${keyOf(flow)}` }];
    const may = answers || toNode || later || itself || maySend(policies as Policy[], traffic(sender, after));
    if (!may) return [{ rule: "policy", why: `${name}'s egress policy allows no ${keyOf(after)}` }];
    const refused = outcome === "to_endpoint" ? this.#toPod(passage, flow) : [];
    if (refused.length > 0) return refused;
    this.#sent.add(keyOf(flow));
    this.#became.set(keyOf(flow), after);
    return refused;
  }

  /** Into a pod here. */
  #toPod(passage: Passage, flow: Flow): Objection[] {
    const { arrival, redirected, destinationMac } = passage;
    const after = this.#flowAfter(passage, flow);
    const pod = local.get(after.destination);
    if (this.#isUnseen(passage, flow)) return this.#believe(passage, flow);
    const isNode = arrival.from === "stack" && arrival.isOwn && isOwn(flow.source);
    if (!pod)
      return arrival.from === "stack" ? [] : [{ rule: "way", why: `${after.destination} is no pod of this node` }];
    if (redirected && podMacs(pod.name).pod !== destinationMac)
      return [{ rule: "way", why: `what is for ${pod.name} was given to ${destinationMac}` }];
    const sender = party(arrival.from === "stack" && arrival.by ? backendAddress(arrival.by) : flow.source);
    const answers = this.#sent.has(keyOf(reversed(after)));
    const itself = arrival.from === "pod" && backendAddress(arrival.pod) === after.destination;
    const may = isNode || answers || itself || mayReceive(policies as Policy[], traffic(sender, after));
    if (!may)
      return [{ rule: "policy", why: `${pod.name}'s ingress policy allows no ${keyOf(after)} from ${sender.address}` }];
    this.#given.add(keyOf(after));
    // The stack has it of its own pods' packets only from that pod, whose source was looked at when it sent.
    if (arrival.from === "stack" && local.has(flow.source)) this.#sent.add(keyOf(flow));
    this.#became.set(keyOf(flow), after);
    return [];
  }

  #fromNetwork(passage: Passage, flow: Flow): Objection[] {
    const { arrival, outcome, wrappedFor } = passage;
    if (arrival.from === "tunnel" && arrival.kind === "return") {
      const wrong = outcome === "return_forwarded" ? undefined : `a return became ${outcome}`;
      return wrong ? [{ rule: "return", why: wrong }] : this.#returned(arrival.node, flow);
    }
    if (outcome === "to_endpoint") return this.#toPod(passage, flow);
    // A service's address given to us in the overlay: it goes on as its backend, with a source that its node will not believe.
    const toFrontend = frontendAddresses.has(flow.destination) || isOwn(flow.destination);
    if (/^to_(overlay|network)$/.test(outcome) && toFrontend) {
      if (arrival.from === "tunnel")
        this.#bounced.add(keyOf(flow)).add(keyOf(reversed(this.#flowAfter(passage, flow))));
    }
    if (/^to_(overlay|network)$/.test(outcome) && this.#bounced.has(keyOf(flow))) return [];
    if (outcome !== "forward_service")
      return [{ rule: "way", why: `what came from the network left it again as ${outcome}` }];
    if (arrival.from !== "wire") return [{ rule: "forward", why: "what was forwarded already was forwarded again" }];
    const service = services.find(
      ({ clusterIP, nodePort, protocol, spec, balancer }) =>
        PROTOCOLS[flow.protocol] === protocol &&
        ((flow.destinationPort === 80 &&
          [clusterIP, balancer, ...((spec?.externalIPs as string[]) ?? [])].includes(flow.destination)) ||
          (flow.destinationPort === nodePort &&
            Object.values<string>(nodes)
              .concat(isOwn(flow.destination) ? flow.destination : [])
              .includes(flow.destination))),
    );
    if (!service) return [{ rule: "forward", why: `${keyOf(flow)} is for no service` }];
    const homes = service.backends.map((name) => pods.find((pod) => pod.name === name)?.node ?? name);
    const node = Object.entries(nodes).find(([, address]) => address === wrappedFor)?.[0];
    if (wrappedFor !== undefined && !homes.includes(node ?? ""))
      return [{ rule: "forward", why: `${service.name} has no backend on ${wrappedFor}` }];
    this.#forwarded.set(keyOf(flow), wrappedFor ?? "");
    return [];
  }

  /** A reply that another node's backend gave, on its way to the client. */
  #returned(by: string, flow: Flow): Objection[] {
    const node = this.#forwarded.get(keyOf(reversed(flow)));
    if (node === undefined)
      return [{ rule: "return", why: `it answers no connection that was forwarded: ${keyOf(flow)}` }];
    if (node && node !== by)
      return [{ rule: "return", why: `its connection was forwarded to ${node}, and ${by} answers` }];
    return [];
  }

  /** An error goes along the flow that it names, small, to its end. */
  #error(passage: Passage): Objection[] {
    const { arrival, before, after, outcome } = passage;
    if (outcome === "pass_to_stack" && isOwn(before.destination)) return [];
    if (arrival.from === "stack" && arrival.isOwn && isOwn(before.source)) return [];
    const [inner, translated] = [readInner(before), readInner(after)].map((reading) => reading && flowOf(reading));
    if (!inner || !translated)
      return [{ rule: "error", why: "an error whose inner packet cannot be read was let through" }];
    if (Math.min(before.totalLength, before.available) > LONGEST_ERROR)
      return [{ rule: "error", why: `an error of ${before.totalLength} bytes was let through` }];
    if (inner.source !== before.destination)
      return [{ rule: "error", why: `an error about a packet of ${inner.source} went to ${before.destination}` }];
    if (arrival.from === "pod" && !this.#wasGiven(inner))
      return [{ rule: "error", why: `${arrival.pod} was never given ${keyOf(inner)}` }];
    if (outcome === "to_endpoint" && !this.#hasSent(translated))
      return [{ rule: "error", why: `no pod here sent ${keyOf(translated)}` }];
    if (
      /^(forward_service|return_forwarded)$/.test(outcome) &&
      !this.#forwarded.has(keyOf(outcome === "forward_service" ? reversed(inner) : inner))
    )
      return [{ rule: "error", why: `nothing was forwarded that ${keyOf(inner)} belongs to` }];
    if (arrival.from !== "pod" && /^(to_network|to_overlay)$/.test(outcome) && !this.#wasGiven(inner))
      return [{ rule: "error", why: `an error from elsewhere left again as ${outcome}` }];
    return [];
  }

  /** Or is about to be: what another pod here sent may still be in the stack. */
  #wasGiven(flow: Flow): boolean {
    return this.#given.has(keyOf(flow)) || this.#sent.has(keyOf(flow)) || this.#sent.has(keyOf(reversed(flow)));
  }

  #hasSent(flow: Flow): boolean {
    // Or will be given: what another pod here sent to this one may still be in the stack.
    return [flow, reversed(flow)].some((one) => this.#sent.has(keyOf(one))) || this.#given.has(keyOf(reversed(flow)));
  }

  /** A later fragment whose first was dropped: nobody sees which ports it was given. */
  #isUnseen({ after }: Passage, flow: Flow): boolean {
    return after.fragmentOffset > 0 && !this.#became.has(keyOf(flow));
  }

  /** What cannot be judged opens a flow all the same, which is answered. */
  #believe({ arrival, outcome, after }: Passage, flow: Flow): Objection[] {
    if (arrival.from === "pod" || local.has(flow.source)) this.#sent.add(keyOf(flow));
    if (outcome === "to_endpoint")
      this.#given.add(keyOf({ ...flow, source: after.source, destination: after.destination }));
    return [];
  }

  /** A later fragment shows only addresses: its ports are what the first one's became. */
  #flowAfter({ after }: Passage, flow: Flow): Flow {
    return (
      flowOf(after) ?? {
        ...(this.#became.get(keyOf(flow)) ?? flow),
        source: after.source,
        destination: after.destination,
      }
    );
  }
}

/** Whether its source ranges keep a client out that was given a backend. Of what comes wrapped the entry node has asked; the
 * host's stack has its own rules. */
function isKeptOut({ arrival, outcome }: Passage, { source, destination, protocol, destinationPort }: Flow): boolean {
  if (destination !== guarded.address || protocol !== 17 || destinationPort !== 80) return false;
  if (outcome === "pass_to_stack" || arrival.from === "stack") return false;
  if (arrival.from === "tunnel" && arrival.kind !== "overlay") return false;
  return !guarded.clients.some((client) => client === source);
}

/** Whether a pod that reaches itself sees what it asked for in its own place. */
function isForItself(flow: Flow, after: Flow): boolean {
  return after.source === flow.destination;
}

function traffic(from: Party, flow: Flow) {
  const protocol = PROTOCOLS[flow.protocol] ?? String(flow.protocol);
  return { from, to: party(flow.destination), protocol, port: protocol === "ICMP" ? 0 : flow.destinationPort };
}

function party(address: string): Party {
  const pod = pods.find((item) => item.address === address);
  if (!pod) return { address };
  return {
    address,
    namespace: "default",
    namespaceLabels: { "kubernetes.io/metadata.name": "default" },
    labels: pod.labels,
  };
}
