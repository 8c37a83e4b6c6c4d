// Three namespaces with three pods each, the policies about them, and who may reach whom by them.
import { mayReceive, maySend, type Party, type Policy } from "../network-policy.ts";

type Labels = Readonly<Record<string, string>>;

/** What there is at one time: labels by name, of pods by NAMESPACE/NAME. */
export interface State {
  readonly policies: readonly Policy[];
  readonly namespaces: Readonly<Record<string, Labels>>;
  readonly pods: Readonly<Record<string, Labels>>;
}

const NAMESPACES = ["x", "y", "z"];
const PODS = ["a", "b", "c"];

export const START: State = {
  policies: [],
  namespaces: Object.fromEntries(NAMESPACES.map((ns) => [ns, { ns }])),
  pods: Object.fromEntries(NAMESPACES.flatMap((ns) => PODS.map((pod) => [`${ns}/${pod}`, { pod }] as const))),
};

export const PROTOCOLS = { TCP: 6, UDP: 17, SCTP: 132 } as const;
export type Protocol = keyof typeof PROTOCOLS;
export const PORTS = [80, 81] as const;

/** Every pod serves all of them, by these names. */
export const CONTAINER_PORTS = (Object.keys(PROTOCOLS) as Protocol[]).flatMap((protocol) =>
  PORTS.map((port) => ({ name: `serve-${port}-${protocol.toLowerCase()}`, containerPort: port, protocol })),
);

/** Whether one pod reaches another one, by the documentation of NetworkPolicy. @param addressOf of a pod */
export function reaches(
  { policies, namespaces, pods }: State,
  addressOf: (pod: string) => string,
  [from, to]: readonly [string, string],
  { protocol, port }: { readonly protocol: Protocol; readonly port: number },
): boolean {
  const party = (name: string): Party => {
    const [namespace = ""] = name.split("/");
    return {
      ...{ address: addressOf(name), namespace, labels: { ...pods[name] }, ports: CONTAINER_PORTS },
      namespaceLabels: { "kubernetes.io/metadata.name": namespace, ...namespaces[namespace] },
    };
  };
  const traffic = { from: party(from), to: party(to), protocol, port };
  return maySend([...policies], traffic) && mayReceive([...policies], traffic);
}
