import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { recordResources, settled } from "../components/testing/program.ts";

test("with router the local stack's nodes are in two subnets, and all machines keep their addresses", async () => {
  const resources = await recordResources();
  pulumi.runtime.setAllConfig({ "ebpf-dataplane:router": "true", "ebpf-dataplane:ipFamilies": '["IPv4","IPv6"]' });
  await import("./local.ts");
  await settled();
  const { stdin } = resources.find(({ name }) => name === "cluster-lab")?.inputs ?? {};
  const { subnets, machines } = JSON.parse(stdin as string);
  expect(subnets.map(({ cidr }: { cidr: string }) => cidr)).toEqual(["172.31.1.0/25", "172.31.1.128/25"]);
  expect(machines.map(({ name, address }: { name: string; address: string }) => `${name} ${address}`).sort()).toEqual(
    [
      "client1 172.31.1.55",
      "client2 172.31.1.162",
      "master 172.31.1.8",
      "node 172.31.1.207",
      "router 172.31.1.1",
    ].sort(),
  );
});
