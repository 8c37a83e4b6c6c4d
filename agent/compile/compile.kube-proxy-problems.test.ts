import { expect, test } from "vitest";
import { felixConfiguration } from "../../model/objects/calico.ts";
import { hostEndpoint } from "../../model/objects/calico-policy/host-endpoint.ts";
import { globalNetworkPolicy } from "../../model/objects/calico-policy/policies.ts";
import { service } from "../../model/objects/core.ts";
import { snapshotOf } from "../../test/model/random-snapshot.ts";
import { Compiler } from "./compile.ts";

const phones = service.parse({
  metadata: { name: "phones", namespace: "shop", annotations: { "ebpf-dataplane.io/return-mode": "both" } },
  spec: { clusterIPs: ["10.96.0.40"], ports: [{ port: 80 }] },
});
const handledBy = (handling: string) =>
  felixConfiguration.parse({
    metadata: { name: "default", annotations: { "ebpf-dataplane.io/service-handling": handling } },
  });

test.each([
  ["Ebpf", ["metadata.annotations[ebpf-dataplane.io/return-mode]"]],
  ["KubeProxyNftables", []],
])("what is not done for services is said by whom they are: %s", (handling, expected) => {
  const empty = snapshotOf({ namespaceLabels: {}, pods: [], policies: [] });
  const state = new Compiler().compile({ ...empty, services: [phones], felixConfigurations: [handledBy(handling)] });
  expect(state.problems.map(({ path }) => path)).toEqual(expected);
});

test.each([
  ["Ebpf", { node: "yes" }, []],
  ["KubeProxyIptables", { node: "yes" }, ["spec.preDNAT"]],
  ["KubeProxyIptables", { node: "no" }, []], // not in force here
])("a preDNAT policy that does not see Services' ports is said: %s, %o", (handling, labels, expected) => {
  const empty = snapshotOf({ namespaceLabels: {}, pods: [], policies: [] });
  const host = { metadata: { name: "all", labels }, spec: { node: "master", interfaceName: "*" } };
  const policy = {
    metadata: { name: "early" },
    spec: {
      selector: "node == 'yes'",
      preDNAT: true,
      applyOnForward: true,
      types: ["Ingress"],
      ingress: [{ action: "Deny" }],
    },
  };
  const { problems } = new Compiler().compile({
    ...empty,
    hostEndpoints: [hostEndpoint.parse(host)],
    globalNetworkPolicies: [globalNetworkPolicy.parse(policy)],
    felixConfigurations: [handledBy(handling)],
  });
  expect(problems.filter(({ kind }) => kind === "GlobalNetworkPolicy").map(({ path }) => path)).toEqual(expected);
});
