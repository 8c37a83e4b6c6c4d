import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { recordAws } from "../components/testing/aws.ts";
import { settled, urns } from "../components/testing/program.ts";

test("the eks stack shows every resource before anything exists, without the cluster's own network plugin", async () => {
  const { inputsOf } = await recordAws({ preview: true });
  pulumi.runtime.setAllConfig({
    "aws:region": "eu-central-1",
    "ebpf-dataplane:subnetIds": '["subnet-0a", "subnet-0b"]',
    "ebpf-dataplane:adminCidrs": '["203.0.113.7/32"]',
    "ebpf-dataplane:imageRegistry": "registry.example/team",
  });
  await import("./eks.ts");
  await settled();
  await expect(`${urns().join("\n")}\n`).toMatchFileSnapshot("golden/eks.urns.txt");
  expect(inputsOf("aws:eks/cluster:Cluster", "cluster")).toMatchObject({ bootstrapSelfManagedAddons: false });
  expect(urns().join()).not.toMatch(/vpc-cni|kube-proxy|CNI_Policy/);
});
