import { type Address, familyOf } from "../../../model/address/address.ts";
import { Latest } from "../../../model/memo.ts";
import { hasEnded, type Node, type Pod, type Service } from "../../../model/objects/core.ts";
import { objectName } from "../../../model/objects/metadata.ts";
import { portProtocol } from "../../../model/protocol.ts";
import { ANY_NODE } from "../../../model/service/frontend.ts";
import { frontends } from "../../../model/service/frontends.ts";
import type { PolicyNames } from "../../compile/desired.ts";
import { POLICY_ANY_IDENTITY } from "../../kernel/layout.gen.ts";
import { logName, ruleName } from "../inspect/words.ts";

/** The current objects that name addresses. */
export interface NamedObjects {
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
  readonly services: readonly Service[];
}

/** Names of addresses and numbers. A list is read again only if it is another object than before: where pods come and go, Services are not. */
export class Names {
  readonly #objects: () => NamedObjects;
  readonly #policies: () => PolicyNames;
  readonly #owners = new Latest<ReadonlyMap<Address, string>>();
  readonly #hostPorts = new Latest<ReadonlyMap<string, string>>();
  readonly #frontends = new Latest<ReadonlyMap<string, string>>();

  constructor(objects: () => NamedObjects, policies: () => PolicyNames) {
    this.#objects = objects;
    this.#policies = policies;
  }

  /** "pod default/web", "node master"; undefined: not in the cluster. */
  owner(address: Address): string | undefined {
    const { nodes, pods } = this.#objects();
    return this.#owners.get([nodes, pods], () => ownersIn(nodes, pods)).get(address);
  }

  /** "default/web:http" at this address and port; a node port at any node's, a pod's host port at its own. */
  service(address: Address, port: number, protocol: number): string | undefined {
    const { nodes, pods, services } = this.#objects();
    const frontends = this.#frontends.get([services], () => new Map(services.flatMap(frontendsOf)));
    const ofPods = this.#hostPorts.get(
      [nodes, pods],
      () => new Map(withAddresses(pods).flatMap((pod) => hostPorts(pod, nodes))),
    );
    const at = (place: Address) => {
      const key = `${place} ${port} ${protocol}`;
      return frontends.get(key) ?? ofPods.get(key);
    };
    const isNodes = () => this.owner(address)?.startsWith("node ");
    return at(address) ?? (isNodes() ? at(ANY_NODE[familyOf(address) ?? "IPv4"]) : undefined);
  }

  identity(number: number): string {
    if (number === POLICY_ANY_IDENTITY) return "any";
    return this.#policies().identities.get(number) ?? (number === 0 ? "not named by any policy" : `identity ${number}`);
  }

  policy(number: number): string {
    return this.#policies().policies.get(number) ?? `policy ${number}`;
  }

  /** Why a policy refused something, by the event's numbers. */
  rule(policy: number, direction: number, rule: number): string {
    return ruleName(policy, direction, rule, this.#policies());
  }

  /** The Log rules that matched, by the number in the event. */
  log(rule: number): string {
    return logName(rule, this.#policies());
  }
}

/** Pods with an address of their own. If two pods have the same address, the last one counts: the other one may have finished. */
function withAddresses(pods: readonly Pod[]): Pod[] {
  const own = pods.filter(({ spec }) => !spec.hostNetwork);
  return [...own.filter(hasEnded), ...own.filter((pod) => !hasEnded(pod))];
}

function ownersIn(nodes: readonly Node[], pods: readonly Pod[]): Map<Address, string> {
  return new Map([
    ...withAddresses(pods).flatMap((pod) => pod.status.podIPs.map(({ ip }) => [ip, `pod ${objectName(pod)}`] as const)),
    ...nodes.flatMap((node) =>
      node.status.addresses.map(({ address }) => [address, `node ${objectName(node)}`] as const),
    ),
  ]);
}

function frontendsOf(service: Service): [string, string][] {
  return service.spec.ports.flatMap((port) =>
    frontends(service, port).map(({ key }): [string, string] => [
      `${key.address} ${key.port} ${key.protocol}`,
      port.name ? `${objectName(service)}:${port.name}` : objectName(service),
    ]),
  );
}

function hostPorts(pod: Pod, nodes: readonly Node[]): [string, string][] {
  const ports = [...pod.spec.initContainers, ...pod.spec.containers].flatMap((one) => one.ports);
  const asked = ports.filter(({ hostPort }) => hostPort);
  if (asked.length === 0) return [];
  const node = nodes.find(({ metadata }) => metadata.name === pod.spec.nodeName);
  return (node?.status.addresses ?? []).flatMap(({ address }) =>
    asked.map(({ hostPort, protocol }): [string, string] => [
      `${address} ${hostPort} ${portProtocol(protocol) ?? protocol}`,
      `${objectName(pod)}:${hostPort}`,
    ]),
  );
}
