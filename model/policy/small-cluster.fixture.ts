// A small cluster for tables: what the policies of the pod shop/web say of a packet.
import { hostCidr } from "../address/address.ts";
import { calicoNetworkPolicy, globalNetworkPolicy } from "../objects/calico-policy/policies.ts";
import { namespace, node, pod } from "../objects/core.ts";
import type { CalicoPolicy } from "./calico-policy.ts";
import { IdentityTable } from "./identity.ts";
import { ANYBODY, decisionAt, Judge } from "./judge.ts";
import type { PolicyObjects } from "./policy-objects.ts";
import { decisionText } from "./rules.ts";
import { PolicySelector } from "./selection.ts";
import { PodSubjects } from "./subject.ts";
import { podAsSubject } from "./who.ts";

const namespaces = [
  namespace.parse({ metadata: { name: "shop", labels: { team: "a" } } }),
  namespace.parse({ metadata: { name: "lab", labels: { team: "b" } } }),
];
const serviceAccounts = [{ metadata: { namespace: "shop", name: "robot", labels: { role: "api" } } }];
const nodes = [
  node.parse({
    metadata: { name: "edge", labels: { role: "edge" } },
    status: {
      addresses: [
        { type: "InternalIP", address: "172.31.1.8" },
        { type: "Hostname", address: "edge" },
      ],
    },
  }),
];
export const ADDRESSES = { web: "10.244.0.1", db: "10.244.0.2", job: "10.244.0.3" } as const;
type Name = keyof typeof ADDRESSES;

function podOf(name: Name, where: string, labels: Record<string, string>, account: string, port?: number) {
  return pod.parse({
    metadata: { name, namespace: where, labels },
    spec: {
      serviceAccountName: account,
      containers: [{ ports: port === undefined ? [] : [{ name: "http", containerPort: port, protocol: "TCP" }] }],
    },
    status: { podIPs: [{ ip: ADDRESSES[name] }] },
  });
}

const pods = {
  web: podOf("web", "shop", { app: "web" }, "robot", 8080),
  db: podOf("db", "shop", { app: "db" }, "default", 5432),
  job: podOf("job", "lab", { app: "web", job: "yes" }, "robot"),
};

/** What web's policies say: "db -> web tcp/80", "1.2.3.4:53 <- web udp/53". */
export function said(objects: Partial<PolicyObjects>, text: string, secondAddress?: string): string {
  const [, from = "", sourcePort, arrow, protocol = "", port] =
    /^([\w.:]+?)(?:@(\d+))? (->|<-) web (\w+)(?:\/(\d+))?$/.exec(text) ?? [];
  const endpoints = [{ namespace: "shop", pod: "web", address: ADDRESSES.web, secondAddress }];
  const subjects = new PodSubjects().of(endpoints, Object.values(pods), namespaces, serviceAccounts);
  const selection = new PolicySelector().select({
    networkPolicies: [],
    namespaces,
    serviceAccounts,
    nodes,
    ...objects,
    subjects,
  });
  const policy = selection.policies.get(endpoints[0] as (typeof endpoints)[0]);
  const side = arrow === "->" ? policy?.ingress : policy?.egress;
  if (!policy || !side) return "allow";
  const table = new IdentityTable(selection.vocabulary);
  const known = pods[from as Name];
  const account = serviceAccounts.find(({ metadata }) => metadata.namespace === known?.metadata.namespace);
  const own = namespaces.find(({ metadata }) => metadata.name === known?.metadata.namespace);
  const peer = known
    ? table.ofPod(
        known,
        podAsSubject(known, own, known.spec.serviceAccountName === "robot" ? account : undefined),
        hostCidr(ADDRESSES[from as Name]),
      )
    : table.ofBlock(hostCidr(from));
  const number = { tcp: 6, udp: 17, icmp: 1 }[protocol] ?? Number(protocol);
  const judgement = new Judge(side, policy.afterwards).judge(peer ?? ANYBODY);
  return decisionText(decisionAt(judgement, number, Number(port ?? 0), Number(sourcePort ?? 40000)));
}

export interface WrittenRule {
  readonly [field: string]: unknown;
}
export const policy = (spec: object, name = "p", where = "shop"): CalicoPolicy =>
  calicoNetworkPolicy.parse({ metadata: { name, namespace: where }, spec });
export const globalPolicy = (spec: object, name = "g"): CalicoPolicy =>
  globalNetworkPolicy.parse({ metadata: { name }, spec });
export const ingress = (...rules: WrittenRule[]): Partial<PolicyObjects> => ({
  calicoNetworkPolicies: [policy({ ingress: rules })],
});
export const global = (...rules: WrittenRule[]): Partial<PolicyObjects> => ({
  globalNetworkPolicies: [globalPolicy({ ingress: rules })],
});
export const allow = (rule: WrittenRule = {}): WrittenRule => ({ action: "Allow", ...rule });
export const deny = (rule: WrittenRule = {}): WrittenRule => ({ action: "Deny", ...rule });
export const END = "deny: no rule of Calico NetworkPolicy shop/p allows it (end of tier default)";
export const GLOBAL_END = "deny: no rule of GlobalNetworkPolicy g allows it (end of tier default)";
