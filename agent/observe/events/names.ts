import { type Address, familyOf } from "../../../model/address/address.ts";
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

/** Names of addresses and numbers. A list is read again only if it is another object than before. */
export class Names {
  readonly #objects: () => NamedObjects;
  readonly #policies: () => PolicyNames;
  #seen: NamedObjects | undefined;
  #owners = new Map<Address, string>();
  #services = new Map<string, string>();

  constructor(objects: () => NamedObjects, policies: () => PolicyNames) {
    this.#objects = objects;
    this.#policies = policies;
  }

  /** "pod default/web", "node master"; undefined: not in the cluster. */
  owner(address: Address): string | undefined {
    this.#refresh();
    return this.#owners.get(address);
  }

  /** "default/web:http" at this address and port; a node port at any node's, a pod's host port at its own. */
  service(address: Address, port: number, protocol: number): string | undefined {
    this.#refresh();
    const found = this.#services.get(`${address} ${port} ${protocol}`);
    if (found || !this.#owners.get(address)?.startsWith("node ")) return found;
    return this.#services.get(`${ANY_NODE[familyOf(address) ?? "IPv4"]} ${port} ${protocol}`);
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

  #refresh(): void {
    const now = this.#objects();
    const seen = this.#seen;
    if (seen && seen.nodes === now.nodes && seen.pods === now.pods && seen.services === now.services) return;
    this.#seen = now;
    const others = now.pods.filter(({ spec }) => !spec.hostNetwork);
    // The last one with an address has it: that of a finished pod may be another's already.
    const pods = [...others.filter(hasEnded), ...others.filter((pod) => !hasEnded(pod))];
    this.#owners = new Map([
      ...pods.flatMap((pod) => pod.status.podIPs.map(({ ip }) => [ip, `pod ${objectName(pod)}`] as const)),
      ...now.nodes.flatMap((node) =>
        node.status.addresses.map(({ address }) => [address, `node ${objectName(node)}`] as const),
      ),
    ]);
    this.#services = new Map([
      ...pods.flatMap((pod) => hostPorts(pod, now.nodes)),
      ...now.services.flatMap((service) =>
        service.spec.ports.flatMap((port) =>
          frontends(service, port).map(
            ({ key }) =>
              [
                `${key.address} ${key.port} ${key.protocol}`,
                port.name ? `${objectName(service)}:${port.name}` : objectName(service),
              ] as const,
          ),
        ),
      ),
    ]);
  }
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
