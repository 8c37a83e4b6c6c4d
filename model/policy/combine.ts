import { type Address, hostCidr } from "../address/address.ts";
import { Memo } from "../memo.ts";
import { namedByContent } from "../named.ts";
import type { CompiledPolicy } from "./compiled-policy.ts";
import type { EndpointPolicy } from "./endpoint-policy.ts";
import { ANYBODY, type Peer } from "./judge.ts";
import { atOwnEnd, isAtItself, type Side, tellsOwnEnds, wordsOfOwnEnds } from "./own-end.ts";
import { ownPortNames, withOwnPorts } from "./own-ports.ts";
import { decisionText } from "./rules.ts";
import type { Subject } from "./subject.ts";
import { type TierHeads, tiersOf, tiersText } from "./tiers.ts";

/** The combined meaning of the policies for one endpoint. @param own in what the endpoint differs from others that the policies select */
export function combine(
  policies: readonly CompiledPolicy[],
  { ports, afterwards }: Pick<Subject, "ports" | "afterwards">,
  heads: TierHeads,
  own: string,
  salt: string | undefined,
): EndpointPolicy {
  const resolved = policies.map((policy) => withOwnPorts(policy, ports));
  const isClosed = afterwards.verdict === "deny";
  const ingress = tiersOf(resolved, "ingress", heads, afterwards);
  const egress = tiersOf(resolved, "egress", heads, afterwards);
  const owners = policies.map(({ owner }) => owner).join(", ");
  const directions = policies
    .map((policy) => (policy.ingress ? "i" : "") + (policy.egress ? "e" : "") + (asksOfNode(policy) ? "n" : ""))
    .join();
  const orders = policies.map(({ tier }) => tier).join();
  const name = namedByContent([owners, directions, orders, own, ...policies.map(({ text }) => text)].join(" "), salt);
  return {
    name,
    owner: `${owners || "no policy"} (${name.hash.toString(16)})`,
    sources: owners,
    ...((ingress.length > 0 || isClosed) && { ingress }),
    ...((egress.length > 0 || isClosed) && { egress }),
    ...(policies.some(asksOfNode) && { isAskedOfNode: true }),
    afterwards,
  };
}

function asksOfNode({ egress, isAskedOfNode }: CompiledPolicy): boolean {
  return egress !== undefined && isAskedOfNode === true;
}

/** In what an endpoint differs from others that the policies select. */
export function subjectText(
  policies: readonly CompiledPolicy[],
  { ports, afterwards }: Pick<Subject, "ports" | "afterwards">,
  heads: TierHeads,
): string {
  return [decisionText(afterwards), tiersText(policies, heads), portsText(policies, ports)].join(" ");
}

/** Ports of the endpoint that its policies name, with their numbers: they can give a policy another meaning for this endpoint than for
 * others. */
function portsText(policies: readonly CompiledPolicy[], known: Subject["ports"]): string {
  const wanted = new Set(policies.flatMap((policy) => [...ownNames.get(policy, [], () => ownPortNames(policy))]));
  return [...wanted]
    .map((name) => `${name}=${known.get(name)}`)
    .sort()
    .join();
}

const ownNames = new Memo<CompiledPolicy, ReadonlySet<string>>();

const ENOUGH = 1024;

export function isByOwnEnd({ ownEnd }: Subject, policies: readonly CompiledPolicy[]): boolean {
  return ownEnd !== undefined && policies.some((policy) => tellsOwnEnds(policy, ownEnd));
}

/** The differences between host endpoints that the policies select, if the policies ask about the ends of flows. */
export function ownEndsText(policies: readonly CompiledPolicy[], subject: Subject, heads: TierHeads): string {
  const { who, ownEnd } = subject;
  return `by own ends ${JSON.stringify([who, ownEnd, addressesToTell(subject)])} ${subjectText(policies, subject, heads)}`;
}

/** By which the subject differs from others. */
function addressesToTell({ ownEnd, addresses }: Subject): readonly Address[] {
  return ownEnd === "itself" ? [] : addresses;
}

/** The same as combine() for an end on the policies' side that may be any. @param text ownEndsText() of it */
export function combineByOwnEnd(
  policies: readonly CompiledPolicy[],
  subject: Subject,
  heads: TierHeads,
  text: string,
  salt: string | undefined,
): EndpointPolicy {
  const { afterwards, ownEnd } = subject;
  const at = (side: Side, end: Peer): At => {
    const itself = isAtItself(subject, end) ? subject : undefined;
    const others = ownEnd === "itself" ? [] : end.ports;
    const ports = new Map([...others, ...(itself?.ports ?? [])]);
    const found = policies.map((policy) => atOwnEnd(policy, side, end, itself));
    const resolved = found.map(({ policy }) => policy);
    const said = found.map((one) => one.text).join(";");
    return { policies: resolved, ports, text: `${said} ${portsText(resolved, ports)}` };
  };
  const everybody = { ingress: at("ingress", ANYBODY), egress: at("egress", ANYBODY) };
  const made = new Map<string, EndpointPolicy>();
  const make = (side: Side, end: Peer): EndpointPolicy | undefined => {
    const found = at(side, end);
    if (found.text === everybody[side].text) return undefined;
    const own = `${text} ${side} of ${found.text}`;
    const policy = made.get(own) ?? combine(found.policies, { ports: found.ports, afterwards }, heads, own, salt);
    made.set(own, policy);
    return policy;
  };
  const known = {
    ingress: new Memo<Peer, EndpointPolicy | undefined>(),
    egress: new Memo<Peer, EndpointPolicy | undefined>(),
  };
  const both = policies.map((policy, place) => ({
    ...policy,
    ...everybody.ingress.policies[place],
    ...everybody.egress.policies[place],
  }));
  const words = policies.map(wordsOfOwnEnds);
  const ownCidrs = addressesToTell(subject).map((address) => [hostCidr(address).text, hostCidr(address)] as const);
  return {
    ...combine(both, { ports: everybody.ingress.ports, afterwards }, heads, text, salt),
    byOwnEnd: {
      isItself: ownEnd === "itself",
      words: {
        selectors: words.flatMap(({ selectors }) => selectors),
        cidrs: new Map([...words.flatMap(({ cidrs }) => [...cidrs]), ...ownCidrs]),
        ports: words.flatMap(({ ports }) => ports),
      },
      at: (side, end) => known[side].get(end, [], () => make(side, end)),
      forgetBut: (used) => {
        if (made.size <= 2 * used.size + ENOUGH) return;
        for (const [own, policy] of made) if (!used.has(policy)) made.delete(own);
      },
    },
  };
}

/** The policies as they are at one end. */
interface At {
  readonly policies: readonly CompiledPolicy[];
  readonly ports: Subject["ports"];
  /** The same for ends at which they are the same. */
  readonly text: string;
}
