import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { recordResources, settled } from "../components/testing/program.ts";

const config = (settings: Record<string, string>) =>
  pulumi.runtime.setAllConfig(
    Object.fromEntries(Object.entries(settings).map(([key, value]) => [`ebpf-dataplane:${key}`, value])),
  );

// A stack is a program, which runs when it is imported: one shape for each file. Others are in local-shape.test.ts.
test("with one node and three clients nginx runs on the control plane, and every client but the first is kept out", async () => {
  const resources = await recordResources();
  const loadBalancerPools = '["172.31.1.240/28"]';
  config({ nodes: "1", clients: "3", ipFamilies: '["IPv4"]', ipipMode: "Always", loadBalancerPools });
  await import("./local.ts");
  await settled();
  const inputsOf = (name: string) => resources.find((one) => one.name === name)?.inputs ?? {};
  const { machines } = JSON.parse(inputsOf("cluster-lab").stdin as string);
  expect(machines.map(({ name }: { name: string }) => name)).toEqual(["master", "client1", "client2", "client3"]);
  expect(inputsOf("nginx").spec).toMatchObject({
    template: {
      spec: {
        nodeSelector: { "kubernetes.io/hostname": "master" },
        tolerations: [{ key: "node-role.kubernetes.io/control-plane", operator: "Exists" }],
      },
    },
  });
  const text = JSON.stringify(resources);
  expect(text).toContain('"ipipMode":"Always"');
  const pool = inputsOf("dataplane-load-balancers-1-ippool");
  expect(pool.spec).toMatchObject({ cidr: "172.31.1.240/28", allowedUses: ["LoadBalancer"] });
  expect(inputsOf("dataplane").loadBalancer).toBe(true);
  const verification = resources.find(({ type }) => type.endsWith(":SourceIpVerification"))?.inputs ?? {};
  expect(verification.droppedClients).toEqual(["client2", "client3"]);
});
