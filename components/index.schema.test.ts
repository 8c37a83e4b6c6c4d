import { ComponentProvider, getPulumiComponents } from "@pulumi/pulumi/provider/experimental/provider.js";
import { expect, test } from "vitest";
import * as components from "./index.ts";
import { argumentTable } from "./testing/argument-table.ts";

// What users of other languages get. A required input more, or another name, is a new major version.
test("the inferred component schema", async () => {
  const classes = getPulumiComponents(components);
  const root = new URL("..", import.meta.url).pathname;
  const provider = new ComponentProvider({ name: "ebpf-dataplane", dirname: root, components: classes as never });
  const schema = JSON.parse(await provider.getSchema());
  expect(Object.keys(schema.resources).sort()).toEqual(
    [
      "AwsCluster",
      "BgpConfiguration",
      "BgpFilter",
      "BgpPeer",
      "CalicoNetworkPolicy",
      "ClientMachines",
      "ClusterNetworkPolicy",
      "Dataplane",
      "EgressGateway",
      "ExistingCluster",
      "GlobalNetworkPolicy",
      "GlobalNetworkSet",
      "HostEndpoint",
      "IpPool",
      "IpReservation",
      "KubeControllersConfiguration",
      "KubeProxyRemoval",
      "LocalCluster",
      "NetworkPolicy",
      "NetworkSet",
      "SourceIpVerification",
      "StagedGlobalNetworkPolicy",
      "StagedKubernetesNetworkPolicy",
      "StagedNetworkPolicy",
      "Tier",
    ].map((name) => `ebpf-dataplane:index:${name}`),
  );
  // Generators add "Args" to the names of types: Python and C# would say IpPoolArgsArgs, Go IpPoolArgsTypeArgs.
  expect(Object.keys(schema.types).filter((token) => token.endsWith("Args"))).toEqual([]);
  delete schema.version;
  await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot("golden/schema.json");
  // No argument is known to the schema and unknown to the components, or the reverse.
  await expect(argumentTable(schema)).toMatchFileSnapshot("arguments/arguments.gen.ts");
});
