// An independent model of which packets may be delivered. It records what each pod received and sent, as seen at the pod, and
// returns a sentence for each violation.
import { mayReceive, maySend, type Policy } from "../../model/network-policy.ts";
import { backendAddress, pods, policies } from "../../packets/cluster.ts";
import { podMacs } from "../../packets/node.ts";
import { isKeptOut } from "./clients.ts";
import { isDiscovery, judgeDiscovery } from "./discovery.ts";
import { judgeError } from "./errors.ts";
import { type Flow, FragmentMemory, flowOf, keyOf, reversed } from "./flow.ts";
import { Memory } from "./memory.ts";
import { maySendAs, party, traffic } from "./parties.ts";
import { backendsOf, homesOf, isEchoToService, localPod, serviceOf, translatedTo } from "./places.ts";
import { isOnLinkOnly, isUnreadable, type Seen } from "./seen.ts";
import { type Arrival, forgery, isForMany, isOwn } from "./sources.ts";
import { wrongWay } from "./way.ts";

/** One packet before and after the program, without outer headers. */
export interface Passage {
  readonly arrival: Arrival;
  readonly before: Seen;
  readonly after: Seen;
  readonly outcome: string;
  /** Of the frame as it left. */
  readonly destinationMac: string;
  /** The node it was wrapped for; undefined: not wrapped, or left to the kernel's device. */
  readonly wrappedFor: string | undefined;
  readonly redirected: boolean;
  /** It is to be judged behind the stack: before the program, and after it. */
  readonly wasJudgedLater: boolean;
  readonly judgedLater: boolean;
}

export type Rule = "source" | "clients" | "policy" | "error" | "return" | "forward" | "way" | "answer" | "form";
export interface Objection {
  readonly rule: Rule;
  readonly why: string;
}

export class Model {
  readonly #memory = new Memory();
  readonly #fragments = new FragmentMemory();

  /** Must be called for every packet that a program parses and does not drop: later fragments may use its ports. */
  see(ip: Seen): void {
    this.#fragments.see(ip);
  }

  /** Of the datagram that it is a fragment of; undefined: no program has read the first one. It changes nothing. */
  flowOfFragments(ip: Seen): Flow | undefined {
    return this.#fragments.known(ip);
  }

  /** Of the packet that this one is, or is a fragment of: a later fragment of IPv6 may name another. */
  protocolOf(ip: Seen): number {
    return this.#fragments.flowOf(ip)?.protocol ?? ip.protocol;
  }

  /** A pod may send to an address that is not in use yet; a pod that gets it later may answer. */
  sentToUnused(name: string, ip: Seen): void {
    const flow = this.#fragments.flowOf(ip);
    if (flow && !pods.some(({ address }) => address === flow.destination) && maySendAs(name, flow))
      this.#memory.send(flow);
  }

  /** What was wrong with a packet that was neither dropped nor rejected. */
  judge(passage: Passage): Objection[] {
    const wrong = wrongWay(passage);
    if (wrong) return [{ rule: "way", why: wrong }];
    const { arrival, before, after, outcome } = passage;
    if (arrival.from === "pod" && isDiscovery(before)) return judgeDiscovery(passage, arrival.pod);
    if (isOnLinkOnly(before.source) || isOnLinkOnly(before.destination)) return onLink(passage);
    if (isUnreadable(before) && outcome !== "pass_to_stack") return portless(before);
    const flow = this.#fragments.flowOf(before);
    if (flow && outcome === "pass_to_stack" && after.ttl <= 1) this.#opened(passage, flow);
    if (outcome === "pass_to_stack" && (arrival.from === "wire" || arrival.from === "tunnel"))
      return this.#passed(passage, flow);
    if (arrival.from === "stack" && outcome === "return_external") return judgeError(passage, this.#memory);
    if (arrival.from === "stack" && outcome !== "to_endpoint") return this.#fromStack(passage, flow);
    const forged = forgery(arrival, before.source);
    if (forged && !(flow && this.#isTaken(arrival, flow))) return [{ rule: "source", why: forged }];
    if (arrival.from === "tunnel" && flow) this.#memory.take(flow, arrival.node);
    if (before.icmp && !before.ports) return judgeError(passage, this.#memory);
    if (!flow) return portless(before);
    if (isKeptOut(passage, flow)) return [{ rule: "clients", why: `${flow.source} may not use ${flow.destination}` }];
    if (arrival.from === "pod") return this.#fromPod(passage, arrival.pod, flow);
    if (arrival.from === "own") return this.#fromNode(passage, flow);
    return arrival.from === "stack" ? this.#toPod(passage, flow) : this.#fromNetwork(passage, flow);
  }

  /** A packet whose time to live ends here goes no further, but it has opened its connection: with another backend than the last one, or
   * another port. Errors and answers may be along that from now on. */
  #opened(passage: Passage, flow: Flow): void {
    const { arrival } = passage;
    const after = this.#flowAfter(passage, flow);
    if (arrival.from === "stack" || !after || !localPod(after.destination) || forgery(arrival, flow.source)) return;
    if (mayReceive(policies as Policy[], traffic(party(flow.source), after)))
      this.#memory.give(flow, after, isSourcePortSeen(passage));
  }

  /** The node's stack answers a pod in place of a backend; an error may be about that answer. */
  refused(sent: Seen): void {
    const flow = this.#fragments.flowOf(sent);
    if (flow) this.#memory.send(flow);
  }

  /** A fragment of SCTP whose ports cannot be rewritten goes no further, but its connection may be known: one that needs another source port, with
   * a backend that it does not show. */
  untranslatable(before: Seen, isPods: boolean): void {
    const flow = this.#fragments.flowOf(before);
    if (!flow) return;
    const service = serviceOf(flow);
    for (const destination of service ? backendsOf(service) : [flow.destination]) {
      const after = translatedTo(flow, destination);
      if (isPods) this.#memory.send(flow, after);
      if (localPod(destination) && mayReceive(policies as Policy[], traffic(party(flow.source), after)))
        this.#memory.give(flow, after, false);
    }
  }

  /** One that was answered in place of being wrapped has, too; its answer does not show for whom. */
  answered(arrival: Arrival, before: Seen): void {
    const flow = this.#fragments.flowOf(before);
    const service = flow && serviceOf(flow);
    if (!flow) return;
    if (arrival.from === "pod") this.#memory.send(flow);
    if (arrival.from === "wire" && service) this.#memory.forward(flow, homesOf(service));
    if (arrival.from !== "tunnel" || !service) return;
    this.#memory.bounce(flow);
    for (const backend of backendsOf(service)) this.#memory.bounce(reversed(translatedTo(flow, backend)));
  }

  /** A node that forwarded a flow to this one may wrap it as the overlay's: it gains nothing by this. */
  #isTaken(arrival: Arrival, flow: Flow): boolean {
    if (arrival.from !== "tunnel" || arrival.kind !== "overlay") return false;
    const isForwardable = forgery({ ...arrival, kind: "forward" }, flow.source) === undefined;
    return isForwardable && this.#memory.takenFrom(flow) === arrival.node;
  }

  /** To the stack. Wrapped packets follow the same source rules as others. */
  #passed(passage: Passage, flow: Flow | undefined): Objection[] {
    const { arrival, before, after } = passage;
    // A packet whose time to live ends here goes no further, translated or not.
    const isOver = after.ttl <= 1 && !isOwn(after.destination);
    if (before.source !== after.source && !isOver && !(flow && this.#answersNode(passage, flow)))
      return [{ rule: "way", why: `the source ${before.source} became ${after.source}` }];
    const forged = forgery(arrival, before.source);
    if (forged && !(arrival.from === "wire" && isForMany(before.destination))) return [{ rule: "source", why: forged }];
    if (arrival.from !== "tunnel") return [];
    if (before.icmp && !before.ports) return judgeError(passage, this.#memory);
    if (!flow) return portless(before);
    if (arrival.kind === "overlay") {
      this.#memory.bounce(flow);
      const shown = this.#flowAfter(passage, flow);
      if (shown && serviceOf(flow)) this.#memory.bounce(reversed(shown));
    }
    return arrival.kind === "return" ? this.#returned(arrival.node, flow) : [];
  }

  /** Whether a pod's flow left the cluster as `after`. */
  #isMasqueraded(flow: Flow, after: Flow): boolean {
    return isOwn(after.source) && this.#memory.beforeOf(after).some((one) => keyOf(one) === keyOf(flow));
  }

  /** A packet to which kube-proxy gave a backend is judged where it leaves the stack. */
  #fromStack(passage: Passage, flow: Flow | undefined): Objection[] {
    const { arrival, outcome, wasJudgedLater } = passage;
    const left = flow && outcome === "forward_external" && flowOf(passage.after);
    if (left) this.#memory.send(flow, left);
    if (!wasJudgedLater || !flow || arrival.from !== "stack") return [];
    const sender = arrival.by ? backendAddress(arrival.by) : flow.source;
    if (sender === flow.destination || isOwn(flow.destination)) return [];
    const isHosts = arrival.isOwn && isOwn(sender);
    const sends = !localPod(sender) || maySend(policies as Policy[], traffic(party(sender), flow));
    const receives =
      isHosts || !localPod(flow.destination) || mayReceive(policies as Policy[], traffic(party(sender), flow));
    return sends && receives ? [] : [{ rule: "policy", why: `${sender} may not reach ${keyOf(flow)}` }];
  }

  /** Whether the flow answers a request of the node's own, and comes from where that was sent. */
  #answersNode({ after, before }: Passage, flow: Flow): boolean {
    const requests = this.#memory.beforeOf(reversed(flow));
    return (
      isOwn(before.destination) &&
      requests.some((one) => one.source === after.destination && one.destination === after.source)
    );
  }

  /** SCTP of the node's own processes. No policy keeps a node from its pods. What comes to its stack is for a backend in its network, which sees the
   * Service as its client, or the answer of that one. */
  #fromNode(passage: Passage, flow: Flow): Objection[] {
    const { outcome, redirected, destinationMac } = passage;
    const after = this.#flowAfter(passage, flow);
    if (!after) return unknownAnswer(passage, flow);
    if (outcome === "pass_to_stack") {
      // What opens nothing, or is for no port of a Service, stays as it is.
      if (!isOwn(after.destination) || (after.source !== flow.destination && keyOf(after) !== keyOf(flow)))
        return [{ rule: "way", why: `the node was shown ${keyOf(after)} for ${keyOf(flow)}` }];
      this.#memory.send(flow, after);
      return [];
    }
    if (after.source !== flow.source || /^return_/.test(outcome)) return wrongReply(flow, after);
    const wrong = wrongBackend(flow, after);
    if (wrong) return wrong;
    const pod = localPod(after.destination);
    if ((pod !== undefined) !== (outcome === "to_endpoint"))
      return [{ rule: "way", why: `what is for ${after.destination} became ${outcome}` }];
    if (pod && redirected && podMacs(pod.name).pod !== destinationMac)
      return [{ rule: "way", why: `what is for ${pod.name} was given to ${destinationMac}` }];
    if (pod) this.#memory.give(flow, after, isSourcePortSeen(passage));
    else this.#memory.send(flow, after);
    return [];
  }

  #fromPod(passage: Passage, name: string, flow: Flow): Objection[] {
    const { outcome, judgedLater } = passage;
    const after = this.#flowAfter(passage, flow);
    if (!after) return unknownAnswer(passage, flow);
    const wrong = wrongBackend(flow, after);
    if (wrong) return wrong;
    const answers = this.#memory.wasGiven(reversed(flow));
    if (/^return_/.test(outcome) && !answers) return [{ rule: "return", why: `${keyOf(flow)} answers nothing` }];
    const toNode = outcome === "pass_to_stack" && isOwn(after.destination);
    if (toNode && passage.redirected && !this.#answersNode(passage, flow))
      return [{ rule: "return", why: `${keyOf(flow)} answers no request of the node` }];
    const later = outcome === "pass_to_stack" && judgedLater && serviceOf(flow) !== undefined;
    const itself = after.destination === backendAddress(name);
    // A pod that reaches itself sees the service as its peer.
    if (itself && after.source !== flow.destination)
      return [{ rule: "way", why: `${name} was shown ${keyOf(after)} for ${keyOf(flow)}` }];
    if (!(answers || toNode || later || itself || maySendAs(name, after)))
      return [{ rule: "policy", why: `${name}'s egress policy allows no ${keyOf(after)}` }];
    const refused = outcome === "to_endpoint" ? this.#toPod(passage, flow) : [];
    // A later fragment does not show which port of the node stands for the pod's.
    const shown = outcome === "forward_external" && !isSourcePortSeen(passage) ? flow : after;
    if (refused.length === 0) this.#memory.send(flow, shown);
    return refused;
  }

  /** Into a pod here. */
  #toPod(passage: Passage, flow: Flow): Objection[] {
    const { arrival, redirected, destinationMac } = passage;
    const after = this.#flowAfter(passage, flow);
    if (!after) return unknownAnswer(passage, flow);
    const wrong = this.#isMasqueraded(reversed(after), reversed(flow)) ? undefined : wrongBackend(flow, after);
    if (wrong) return wrong;
    const pod = localPod(after.destination);
    if (!pod)
      return arrival.from === "stack" ? [] : [{ rule: "way", why: `${after.destination} is no pod of this node` }];
    if (redirected && podMacs(pod.name).pod !== destinationMac)
      return [{ rule: "way", why: `what is for ${pod.name} was given to ${destinationMac}` }];
    const isNode = arrival.from === "stack" && arrival.isOwn && isOwn(flow.source);
    const sender = party(arrival.from === "stack" && arrival.by ? backendAddress(arrival.by) : flow.source);
    const answers = this.#memory.wasSent(reversed(after));
    const itself = sender.address === after.destination && arrival.from !== "wire" && arrival.from !== "tunnel";
    if (!(isNode || answers || itself || mayReceive(policies as Policy[], traffic(sender, after))))
      return [{ rule: "policy", why: `${pod.name}'s ingress policy allows no ${keyOf(after)} from ${sender.address}` }];
    this.#memory.give(flow, after, isSourcePortSeen(passage));
    // The stack receives a local pod's packets only from that pod, whose source was checked when it sent them.
    if (arrival.from === "stack" && localPod(flow.source)) this.#memory.send(flow, after);
    return [];
  }

  #fromNetwork(passage: Passage, flow: Flow): Objection[] {
    const { arrival, outcome, wrappedFor } = passage;
    if (arrival.from === "tunnel" && arrival.kind === "return") {
      const wrong = outcome === "return_forwarded" ? undefined : `a return became ${outcome}`;
      return wrong ? [{ rule: "return", why: wrong }] : this.#returned(arrival.node, flow);
    }
    if (outcome === "to_endpoint") return this.#toPod(passage, flow);
    const service = serviceOf(flow);
    if (/^to_(overlay|network)$/.test(outcome)) return this.#bounced(passage, flow);
    if (outcome !== "forward_service")
      return [{ rule: "way", why: `what came from the network left it again as ${outcome}` }];
    if (arrival.from !== "wire") return [{ rule: "forward", why: "what was forwarded already was forwarded again" }];
    if (!service) return [{ rule: "forward", why: `${keyOf(flow)} is for no service` }];
    const homes = homesOf(service);
    if (wrappedFor !== undefined && !homes.includes(wrappedFor))
      return [{ rule: "forward", why: `${service.name} has no backend on ${wrappedFor}` }];
    this.#memory.forward(flow, wrappedFor === undefined ? homes : [wrappedFor]);
    return [];
  }

  /** A service's address sent to us in the overlay: forwarded to its backend, with a source that the backend's node rejects. */
  #bounced(passage: Passage, flow: Flow): Objection[] {
    const { arrival, outcome } = passage;
    const after = this.#flowAfter(passage, flow);
    const service = serviceOf(flow);
    const isOfService = service && after && backendsOf(service).includes(after.destination);
    if (arrival.from === "tunnel" && arrival.kind === "overlay" && isOfService) {
      this.#memory.bounce(flow);
      this.#memory.bounce(reversed(after));
    }
    if (this.#memory.isBounced(flow)) return [];
    return [{ rule: "way", why: `what came from the network left it again as ${outcome}` }];
  }

  /** A reply that another node's backend gave, on its way to the client. */
  #returned(by: string, flow: Flow): Objection[] {
    const homes = this.#memory.forwardedTo(reversed(flow));
    if (!homes) return [{ rule: "return", why: `it answers no connection that was forwarded: ${keyOf(flow)}` }];
    if (!homes.includes(by))
      return [{ rule: "return", why: `its connection was forwarded to ${homes}, and ${by} answers` }];
    return [];
  }

  /** A later fragment shows only addresses: its ports are the translated ones of the first fragment. undefined: no known flow
   * is translated to this. */
  #flowAfter({ after, outcome }: Passage, flow: Flow): Flow | undefined {
    const whole = flowOf(after);
    if (whole) return whole;
    const { source, destination } = after;
    if (outcome === "forward_external") return { ...flow, source, destination }; // way.ts has judged both
    if (source !== flow.source && destination !== flow.destination) return { ...flow, source, destination }; // a pod to itself
    const requests = this.#memory.beforeOf(reversed(flow));
    const request = requests.find((one) => one.destination === source && one.source === destination);
    if (request || source !== flow.source) return request && reversed(request);
    const became = this.#memory.becameOf(flow);
    return became?.source === source && became.destination === destination ? became : translatedTo(flow, destination);
  }
}

/** No router sends it on: it is the node's own business, and no pod's. */
const onLink = ({ arrival, outcome, before }: Passage): Objection[] =>
  outcome === "pass_to_stack" && arrival.from !== "pod"
    ? []
    : [{ rule: "way", why: `what goes from ${before.source} to ${before.destination} became ${outcome}` }];

const isSourcePortSeen = ({ after }: Passage): boolean => after.fragmentOffset === 0;

const portless = ({ protocol }: Seen): Objection[] => [
  { rule: "way", why: `protocol ${protocol} without ports that can be seen was let through` },
];

/** A changed destination must be one of the service's backends. */
function wrongBackend(flow: Flow, after: Flow): Objection[] | undefined {
  if (after.destination === flow.destination || after.source !== flow.source) return undefined;
  if (isEchoToService(flow) && isOwn(after.destination)) return undefined; // this node's stack answers
  const service = serviceOf(flow);
  if (service && backendsOf(service).includes(after.destination)) return undefined;
  return [
    { rule: "way", why: `${keyOf(flow)} was sent to ${after.destination}, which is not a backend of its service` },
  ];
}

/** A backend in the node's network answers a client: from the address of a Service that it serves. */
function wrongReply(flow: Flow, after: Flow): Objection[] {
  const service = serviceOf(reversed(after));
  const isItsOwn = service && backendsOf(service).includes(flow.source) && after.destination === flow.destination;
  return isItsOwn ? [] : [{ rule: "return", why: `${keyOf(flow)} became ${keyOf(after)}` }];
}

const unknownAnswer = ({ after }: Passage, flow: Flow): Objection[] => [
  { rule: "way", why: `the source of a later fragment of ${keyOf(flow)} became ${after.source}` },
];
