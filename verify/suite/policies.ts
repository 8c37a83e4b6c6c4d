// Cases of Kubernetes' NetworkPolicy, in both directions. Each group continues from the one before.
import { familyOf } from "../../model/address/address.ts";
import type { SuiteFacts } from "./facts.ts";
import {
  CLIENT,
  expecting,
  FAR,
  type Group,
  inNamespace,
  KUBELET,
  NEAR,
  NO_CLIENT,
  ONE_NODE,
  without,
} from "./group.ts";
import { NAMESPACE, OTHER, PORTS, policy, SERVICE_PORT } from "./objects.ts";

const visitor = inNamespace("visitor", OTHER);
const selected = { podSelector: { matchLabels: { role: "guarded" } }, policyTypes: ["Ingress"] };
const throughService = `tcp://service/${NAMESPACE}/guarded:${SERVICE_PORT}`;
const [allowed, dropped] = [expecting()("allowed"), expecting()("dropped")];

const guardedOf = ({ far: other }: SuiteFacts): string => (other ? FAR : NEAR);
const homeOf = ({ near: one, far: other }: SuiteFacts): string => (other ?? one).name;
const tcp = (target: string, port: number = PORTS.open): string => `tcp://${target}:${port}`;
const udp = (target: string): string => `udp://${target}:${PORTS.open}`;

/** All of them, in order. */
export function policies(facts: SuiteFacts): Group[] {
  return [
    nothingEnters(facts),
    whatIsNamedEnters(facts),
    ...addressesEnter(facts),
    littleLeaves(facts),
    noneIsLeft(facts),
  ];
}

function nothingEnters(facts: SuiteFacts): Group {
  const guarded = guardedOf(facts);
  return {
    name: "policy: nothing may enter",
    apply: [policy("nothing-enters", selected)],
    expect: [
      dropped(CLIENT, tcp(guarded)),
      dropped(CLIENT, udp(guarded)),
      dropped(CLIENT, throughService),
      dropped(visitor, tcp(guarded)),
      // The pod's own node always reaches it: its kubelet probes it.
      allowed(`node/${homeOf(facts)}`, tcp(guarded)),
      allowed(guarded, tcp(CLIENT)),
      ...(facts.far ? [dropped(NEAR, tcp(guarded)), allowed(CLIENT, tcp(NEAR))] : []),
    ],
    skipped: without(facts.far !== undefined, "policies of pods on another node", ONE_NODE),
  };
}

function whatIsNamedEnters(facts: SuiteFacts): Group {
  const guarded = guardedOf(facts);
  const ingress = [
    { from: [{ podSelector: { matchLabels: { app: "client" } } }], ports: [{ protocol: "TCP", port: PORTS.open }] },
    {
      from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": OTHER } } }],
      ports: [{ protocol: "UDP", port: PORTS.open }],
    },
  ];
  return {
    name: "policy: a label, a port, a namespace",
    apply: [policy("named-enter", { ...selected, ingress })],
    expect: [
      allowed(CLIENT, tcp(guarded)),
      allowed(CLIENT, throughService),
      dropped(CLIENT, tcp(guarded, PORTS.second)),
      dropped(CLIENT, udp(guarded)),
      allowed(visitor, udp(guarded)),
      dropped(visitor, tcp(guarded)),
      ...(facts.far ? [dropped(NEAR, tcp(guarded))] : []),
    ],
    skipped: [],
  };
}

/** At the node of the pod, with `externalTrafficPolicy: Local`: there the client's address is known to every engine. */
function addressesEnter(facts: SuiteFacts): Group[] {
  const name = "policy: an address outside";
  const { serviceFamilies, nodePorts } = facts;
  const [family] = serviceFamilies;
  const [one, other] = facts.clients.filter(({ families }) => family && families.includes(family));
  const address = one?.addresses.find((each) => familyOf(each) === family);
  if (!one || !address) return [{ name, expect: [], skipped: [{ what: "ipBlock of a client", why: NO_CLIENT }] }];
  const cidr = `${address}/${family === "IPv6" ? 128 : 32}`;
  const to = `tcp://node/${homeOf(facts)}:${nodePorts.localOnly}`;
  const only = family && { family };
  return [
    {
      name,
      apply: [policy("address-enters", { ...selected, ingress: [{ from: [{ ipBlock: { cidr } }] }] })],
      expect: [
        allowed(one.name, to, { source: one.name, ...only }),
        ...(other ? [dropped(other.name, to, { ...only })] : []),
      ],
      skipped: without(other !== undefined, "a client outside of the ipBlock", "only one machine outside is known"),
    },
  ];
}

function littleLeaves(facts: SuiteFacts): Group {
  const guarded = guardedOf(facts);
  const { dns, far: other } = facts;
  const egress = [
    { to: [{ podSelector: { matchLabels: { app: "host-port" } } }], ports: [{ protocol: "TCP", port: PORTS.open }] },
    ...(dns ? [{ to: [{ namespaceSelector: {} }], ports: [{ protocol: "UDP", port: 53 }] }] : []),
  ];
  const spec = { podSelector: { matchLabels: { app: "client" } }, policyTypes: ["Egress"], egress };
  const target = inNamespace("host-port");
  return {
    name: "policy: little may leave",
    apply: [policy("little-leaves", spec)],
    delete: removalOf("nothing-enters", "named-enter", "address-enters"),
    expect: [
      allowed(CLIENT, tcp(target)),
      dropped(CLIENT, tcp(target, PORTS.second)),
      dropped(CLIENT, udp(target)),
      dropped(CLIENT, tcp(guarded)),
      dropped(CLIENT, throughService),
      dropped(CLIENT, tcp(visitor)),
      allowed(visitor, tcp(CLIENT)),
      allowed(visitor, tcp(guarded)),
      ...(other ? [dropped(CLIENT, `tcp://node/${other.name}:${KUBELET}`)] : []),
      ...(dns ? [allowed(CLIENT, `udp://service/${dns}:53`)] : []),
    ],
    skipped: [],
  };
}

function noneIsLeft(facts: SuiteFacts): Group {
  const guarded = guardedOf(facts);
  return {
    name: "policies removed",
    delete: removalOf("little-leaves"),
    expect: [
      allowed(CLIENT, tcp(guarded)),
      allowed(CLIENT, udp(guarded)),
      allowed(CLIENT, throughService),
      allowed(visitor, tcp(guarded)),
      allowed(CLIENT, tcp(visitor)),
    ],
    skipped: [],
  };
}

const removalOf = (...names: string[]): Group["delete"] =>
  names.map((name) => {
    const { apiVersion, kind, metadata } = policy(name, {});
    return { apiVersion, kind, metadata };
  });
