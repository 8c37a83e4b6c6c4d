// Objects from which server-side apply takes the last member of a list that is a set, and gives it back.
import { type KindName, kinds } from "../../model/objects/kinds.ts";

interface Emptied {
  readonly kind: KindName;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  /** What is applied, one after the other. */
  readonly specs: readonly object[];
}

function of(kind: KindName, full: object, empty: object): Emptied {
  const name = kind === "kubeControllersConfigurations" ? "default" : "emptied";
  const metadata = { name, ...(kinds[kind].namespaced && { namespace: "default" }) };
  return { kind, metadata, specs: [full, empty, full] };
}

const hints = { performanceHints: ["AssumeNeededOnEveryNode"] };
const types = { types: ["Ingress"] };
const host = { node: "one", interfaceName: "eth0" };
const peer = { peerIP: "192.0.2.1", asNumber: 64_512 };
const templates = (more: object) => ({
  controllers: { node: { hostEndpoint: { templates: [{ generateName: "t", ...more }] } } },
});

export const emptied: readonly Emptied[] = [
  ...(["networkSets", "globalNetworkSets"] as const).flatMap((kind) => [
    of(kind, { nets: ["192.0.2.1/32"] }, { nets: [] }),
    of(kind, { nets: ["192.0.2.1/32"] }, {}),
  ]),
  ...(["calicoNetworkPolicies", "globalNetworkPolicies", "stagedNetworkPolicies"] as const).flatMap((kind) => [
    of(kind, hints, { performanceHints: [] }),
    of(kind, hints, {}),
  ]),
  of("globalNetworkPolicies", types, {}),
  of("stagedKubernetesNetworkPolicies", { podSelector: {}, policyTypes: ["Ingress"] }, { podSelector: {} }),
  of("stagedKubernetesNetworkPolicies", { policyTypes: ["Ingress"] }, {}),
  of("hostEndpoints", { ...host, expectedIPs: ["192.0.2.1"] }, { ...host, expectedIPs: [] }),
  of("hostEndpoints", { ...host, profiles: ["projectcalico-default-allow"] }, host),
  of(
    "kubeControllersConfigurations",
    templates({ interfacePattern: "eth.*", interfaceCIDRs: ["192.0.2.0/24"] }),
    templates({ interfacePattern: "eth.*", interfaceCIDRs: [] }),
  ),
  of("bgpPeers", { ...peer, filters: ["a"] }, { ...peer, filters: [] }),
];
