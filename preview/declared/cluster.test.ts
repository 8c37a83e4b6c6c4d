import { expect, test } from "vitest";
import { awsCluster, dataplane, object, twoNodesAndAClient } from "../testing/stack.ts";
import { declaredOf } from "./declared.ts";

test("another namespace's objects with the agent's names do not describe the dataplane", () => {
  const metadata = { name: "ebpf-dataplane", namespace: "tenant" };
  const spec = { template: { spec: { containers: [{ image: "images.example.com/other:1" }] } } };
  const others = [
    object({ kind: "ConfigMap", metadata, data: { "settings.json": "not JSON" } }),
    object({ kind: "ConfigMap", metadata: { name: "app" }, data: { "settings.json": "not JSON" } }),
    object({ apiVersion: "apps/v1", kind: "DaemonSet", metadata, spec }),
  ];
  const [cluster] = declaredOf([...awsCluster(twoNodesAndAClient), ...others, ...dataplane()]).clusters;
  expect(cluster?.dataplane).toMatchObject({
    image: "images.example.com/ebpf-dataplane:0.1.0",
    serviceSubnet: "10.96.0.0/12",
  });
});
