import { expect, test } from "vitest";
import { awsCluster, type DataplaneChoice, dataplane, object, twoNodesAndAClient } from "../testing/stack.ts";
import { declaredOf } from "./declared.ts";
import { serviceOf } from "./objects.ts";

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

test("kinds of other groups with the same names are not taken for the dataplane's and Kubernetes' own", () => {
  const metadata = { name: "other" };
  const pool = { apiVersion: "example.com/v1", kind: "IPPool", metadata, spec: { cidr: "10.9.0.0/16" } };
  const knative = { apiVersion: "serving.knative.dev/v1", kind: "Service", metadata, spec: { ports: [{ port: 80 }] } };
  const [cluster] = declaredOf([...awsCluster(twoNodesAndAClient), ...dataplane(), object(pool)]).clusters;
  expect(cluster?.dataplane?.pools.map(({ name }) => name)).toEqual(["default-ipv4-ippool"]);
  expect(serviceOf(knative)).toBeUndefined();
  expect(serviceOf({ ...knative, apiVersion: "v1" })).toMatchObject({ name: "other" });
});

test("pools are wrapped as they are in force: all of them while packets between nodes are encrypted", () => {
  const poolsOf = (choice: DataplaneChoice) =>
    declaredOf([...awsCluster(twoNodesAndAClient), ...dataplane(choice)]).clusters[0]?.dataplane?.pools;
  expect(poolsOf({ vxlanMode: "Never" })).toMatchObject([{ mode: "Never" }]);
  for (const choice of [{ vxlanMode: "Never" }, { ipipMode: "Always" }])
    expect(poolsOf({ ...choice, encrypts: true })).toMatchObject([{ encapsulation: "VXLAN", mode: "Always" }]);
});
