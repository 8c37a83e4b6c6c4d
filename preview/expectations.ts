import type { Check, Expectation, KubernetesObject, ObjectReference } from "../components/documents/check.ts";
import { familyOf } from "../model/address/address.ts";
import type { Destination } from "../model/expectation/destination.ts";
import type { Place, PodSelection } from "../model/expectation/place.ts";
import { shortName, type WrittenObject } from "./declared/objects.ts";
import { type Cast, castOf, type Scene } from "./reach/cast.ts";
import { askerOf, type NamedPeer, type NamedTarget, peersOf, type ReachRow, servicePorts } from "./reach/table.ts";

/** An expectation of a verification that the declared policies do not meet. */
export interface Contradiction {
  check: string;
  from: string;
  to: string;
  expected: Expectation["verdict"];
  declared: ReachRow["verdict"];
  policies: string[];
}

/** Expectations compared with the declaration. */
export interface HeldExpectations {
  contradictions: Contradiction[];
  /** Expectations that agree with what is declared. */
  met: number;
  /** Expectations that only a running cluster can decide. */
  open: number;
}

/** Compares every expectation of a check with the objects that exist at its step. */
export function holdExpectations(scene: Scene, checks: Check[]): HeldExpectations {
  const held: HeldExpectations = { contradictions: [], met: 0, open: 0 };
  for (const check of checks) {
    let objects: WrittenObject[] = [...scene.objects, ...check.setup.map(written)];
    for (const step of check.steps) {
      objects = objectsWithout([...objectsWithout(objects, step.apply), ...step.apply.map(written)], step.delete);
      const cast = castOf({ ...scene, objects });
      const ask = askerOf(cast);
      for (const { from, to, verdict } of step.expect) {
        const answer = answerTo(cast, ask, from.value, to.value);
        if (!answer || answer.verdict === "depends") held.open++;
        else if (answer.verdict === verdict) held.met++;
        else {
          const { verdict: declared, policies } = answer;
          held.contradictions.push({
            check: check.name,
            from: from.text,
            to: to.text,
            expected: verdict,
            declared,
            policies,
          });
        }
      }
    }
  }
  return held;
}

function answerTo(cast: Cast, ask: ReturnType<typeof askerOf>, from: Place, to: Destination) {
  const peers = peersNamed(cast, from, to);
  const target = targetOf(cast, to);
  if (peers.length === 0 || !target) return undefined;
  const answers = peers.map((peer) => ask(peer, target));
  const [first] = answers;
  const policies = [...new Set(answers.flatMap((answer) => answer.policies))].sort();
  const same = answers.every(({ verdict }) => verdict === first?.verdict);
  return { verdict: same && first ? first.verdict : ("depends" as const), policies };
}

function peersNamed(cast: Cast, place: Place, { host }: Destination): NamedPeer[] {
  const peers = peersOf(cast);
  if (place.kind === "node") return [];
  if (place.kind === "machine") {
    const overIpv6 = host.kind === "address" && familyOf(host.address) === "IPv6";
    const nameOf = ({ name, alsoAs }: NamedPeer) => (overIpv6 ? alsoAs?.name : name);
    return peers.filter((peer) => peer.outside && nameOf(peer) === place.name);
  }
  return peers.filter(({ peer }) => peer.kind === "workload" && isMeant(peer.workload, place));
}

/** A pod's name is generated later; it starts with the workload's name. */
function isMeant(pod: { namespace: string; name: string; labels: Record<string, string> }, place: PodSelection) {
  if (pod.namespace !== place.namespace) return false;
  if (place.name !== undefined) return place.name === pod.name || place.name.startsWith(`${pod.name}-`);
  return Object.entries(place.labels ?? {}).every(([key, value]) => pod.labels[key] === value);
}

function targetOf(cast: Cast, { host, port, protocol }: Destination): NamedTarget | undefined {
  if (protocol === "icmp") return undefined; // what policies say of it is not computed here
  const wanted = protocol.toUpperCase() as NamedTarget["targets"][number]["protocol"];
  if (host.kind === "service") {
    const service = cast.services.find(({ namespace, name }) => namespace === host.namespace && name === host.name);
    const index = service?.spec.ports.findIndex((one) => one.port === port && one.protocol === wanted) ?? -1;
    return service && servicePorts(cast, service)[index];
  }
  if (host.kind === "pod") {
    const workloads = cast.workloads.filter((workload) => isMeant(workload, host));
    if (workloads.length === 0) return undefined;
    const targets = workloads.map((workload) => ({ workload, protocol: wanted, port }));
    return { name: workloads.map(shortName).join(", "), targets };
  }
  const isNode =
    host.kind === "node" ||
    (host.kind === "address" && cast.nodes.some((n) => [n.address, n.addressIpv6].includes(host.address)));
  if (!isNode) return undefined;
  for (const service of cast.services) {
    const index = service.spec.ports.findIndex((one) => one.nodePort === port && one.protocol === wanted);
    if (index >= 0) return servicePorts(cast, service)[index];
  }
  return undefined;
}

const written = (object: KubernetesObject): WrittenObject => object as WrittenObject;

function objectsWithout(objects: WrittenObject[], gone: (KubernetesObject | ObjectReference)[]): WrittenObject[] {
  const ids = new Set(gone.map((object) => idOf(object as WrittenObject)));
  return objects.filter((object) => !ids.has(idOf(object)));
}

/** By the group of its kind too: Calico's NetworkPolicies are not Kubernetes'. */
function idOf({ apiVersion = "v1", kind, metadata }: WrittenObject): string {
  const [group] = apiVersion.includes("/") ? apiVersion.split("/") : [""];
  return `${group} ${kind} ${metadata?.namespace ?? "default"}/${metadata?.name}`;
}
