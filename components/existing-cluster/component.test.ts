import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { NodeSelectorOperator, TaintEffect } from "../dataplane/agent-pods-args.ts";
import { KubeProxyRemoval } from "../kube-proxy-removal/component.ts";
import { recordResources, settled } from "../testing/program.ts";
import { type ExistingClusterArgs, ExistingKubeProxy } from "./args.ts";
import { ExistingCluster } from "./component.ts";

const args: ExistingClusterArgs = {
  kubeconfig: "apiVersion: v1",
  dataplane: { apiServer: { host: "203.0.113.7", port: 6443 }, imageRegistry: "registry.example/team", mtu: 1400 },
};

test("ExistingCluster hands over what is going to be declared, and its kubeconfig as a secret", async () => {
  const resources = await recordResources(true);
  new ExistingCluster("c", { ...args, existingKubeProxy: ExistingKubeProxy.Remove });
  await settled();
  const [, command] = resources;
  expect(JSON.parse(command?.inputs.stdin as string)).toMatchObject({
    apiServer: { host: "203.0.113.7", port: 6443 },
    image: expect.stringMatching(/^registry\.example\/team\/ebpf-dataplane:\d/),
    podCidrs: ["10.244.0.0/16"],
    serviceSubnet: "10.96.0.0/12",
    mtu: 1400,
    existingKubeProxy: "remove",
    otherNetworkPlugin: "refuse",
    probeNodes: true,
  });
  expect(command?.inputs.create).toBe("cluster preflight");
  expect(command?.inputs.delete).toBe("cluster clean-nodes");
  expect(`${command?.inputs.create}${command?.inputs.stdin}`).not.toContain("apiVersion: v1");
});

test("ExistingCluster looks at the nodes that the Dataplane chooses, with its Secrets", async () => {
  const resources = await recordResources(true);
  const nodeSelectorTerms = [{ matchExpressions: [{ key: "virtual", operator: NodeSelectorOperator.DoesNotExist }] }];
  const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } };
  const same = {
    nodeSelector: { pool: pulumi.output("apps") },
    tolerations: [{ key: "dedicated", effect: TaintEffect.NoSchedule }],
    imagePullSecrets: [{ name: "registry" }],
  };
  const egressGateways = [{ name: "mail", podSelector: "all()", nodeSelector: "has(egress)" }];
  new ExistingCluster("c", { ...args, dataplane: { ...args.dataplane, ...same, affinity, egressGateways } });
  await settled();
  const stdin = JSON.parse(resources[1]?.inputs.stdin as string);
  expect(stdin).toMatchObject({ ...same, nodeSelector: { pool: "apps" }, nodeSelectorTerms });
  expect(stdin.egressGateways).toEqual([{ name: "mail", nodeSelector: "has(egress)" }]);
});

test("ExistingCluster is updated, not replaced, by what changes: an update knows the previous cluster", async () => {
  const resources = await recordResources(true);
  new ExistingCluster("c", args);
  await settled();
  expect(resources[1]?.inputs.triggers).toBeUndefined();
  expect(resources[1]?.inputs.addPreviousOutputInEnv).not.toBe(false);
});

test("KubeProxyRemoval takes kube-proxy off, and puts it back when destroyed", async () => {
  const resources = await recordResources(true);
  new KubeProxyRemoval("p", { kubeconfig: "apiVersion: v1" });
  await settled();
  expect(resources[1]?.inputs.create).toBe("cluster remove-kube-proxy");
  expect(resources[1]?.inputs.delete).toBe("cluster restore-kube-proxy");
});

test.each<[Partial<ExistingClusterArgs>, string]>([
  [
    { existingKubeProxy: "keep" as ExistingKubeProxy },
    'ExistingCluster "c": existingKubeProxy is "keep", but must be "refuse" or "remove".',
  ],
  [{ clusterId: "mine" }, 'clusterId is "mine", but must be the UID of the cluster\'s namespace kube-system'],
  [
    { dataplane: { ...args.dataplane, mtu: 100 } },
    "dataplane.mtu is 100, but must be a whole number from 1280 to 65535",
  ],
])("ExistingCluster refuses %j", async (wrong, message) => {
  await recordResources();
  expect(() => new ExistingCluster("c", { ...args, ...wrong })).toThrow(message);
});
