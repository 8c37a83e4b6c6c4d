import type { Address } from "../address/address.ts";
import { Latest, Memo } from "../memo.ts";
import type { Namespace, Pod } from "../objects/core.ts";
import { type KubernetesObject, objectName } from "../objects/metadata.ts";
import { addressesOf, isPodOf, type PodAddresses, type PodName } from "../objects/pod-of.ts";
import type { CompiledPolicy } from "./compiled-policy.ts";
import { containerPorts } from "./identity.ts";
import { type Decision, OPEN } from "./rules.ts";
import { podAsSubject } from "./who.ts";
import type { Who } from "./workload-selector.ts";

/** The subject itself, at any of its addresses, or the end that the packet is for or from. */
export type OwnEnd = "itself" | "anybody";

/** An endpoint to which policies apply: a pod of this node, or one of the node's own interfaces. */
export interface Subject {
  readonly who: Who;
  /** Numbers of its named ports, by `portName`. */
  readonly ports: ReadonlyMap<string, number>;
  readonly addresses: readonly Address[];
  /** What applies after the last tier. If it denies, the subject is closed without policies too. */
  readonly afterwards: Decision;
  /** The ends that flows have at the subject, if rules ask about the end of each flow (own-end.ts). Absent: the end is the subject,
   * which has one address of a family (own-side.ts). */
  readonly ownEnd?: OwnEnd;
  /** Which of the policies that select it are asked. */
  asks(policy: CompiledPolicy): boolean;
}

/** A pod's interface; its addresses may not be known yet. */
export type PodEndpoint = PodName & Partial<PodAddresses>;

const NONE: readonly never[] = [];

/** Pods as subjects. Equal ones are the very same object. */
export class PodSubjects<Endpoint extends PodEndpoint> {
  readonly #known = new Memo<Endpoint, Subject>();
  readonly #all = new Latest<ReadonlyMap<Endpoint, Subject>>();

  /** Those of the endpoints whose pods are known. */
  of(
    endpoints: readonly Endpoint[],
    pods: readonly Pod[],
    namespaces: readonly Namespace[] = NONE,
    serviceAccounts: readonly KubernetesObject[] = NONE,
  ): ReadonlyMap<Endpoint, Subject> {
    const find = () => this.#find(endpoints, pods, namespaces, serviceAccounts);
    return this.#all.get([endpoints, pods, namespaces, serviceAccounts], find);
  }

  #find(
    endpoints: readonly Endpoint[],
    pods: readonly Pod[],
    namespaces: readonly Namespace[],
    serviceAccounts: readonly KubernetesObject[],
  ): ReadonlyMap<Endpoint, Subject> {
    const names = new Set(endpoints.map(({ namespace, pod }) => `${namespace}/${pod}`));
    const local = new Map(pods.filter((pod) => names.has(objectName(pod))).map((pod) => [objectName(pod), pod]));
    const byName = new Map(namespaces.map((namespace) => [namespace.metadata.name, namespace]));
    const accounts = new Map(serviceAccounts.map((account) => [objectName(account), account]));
    const subjects = new Map<Endpoint, Subject>();
    for (const endpoint of endpoints) {
      const pod = local.get(`${endpoint.namespace}/${endpoint.pod}`);
      if (!pod || !isPodOf(pod, endpoint)) continue;
      const namespace = byName.get(endpoint.namespace);
      const account = accounts.get(`${endpoint.namespace}/${pod.spec.serviceAccountName}`);
      const make = () => podSubject(endpoint, podAsSubject(pod, namespace, account), pod);
      subjects.set(endpoint, this.#known.get(endpoint, [pod, namespace, account], make));
    }
    return subjects;
  }
}

function podSubject({ address, secondAddress }: PodEndpoint, who: Who, pod: Pod): Subject {
  return {
    who,
    ports: containerPorts(pod),
    addresses: address === undefined ? [] : addressesOf({ address, secondAddress }),
    afterwards: OPEN,
    asks: ({ stage }) => stage === "normal",
  };
}
