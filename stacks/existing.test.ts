import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { recordResources, settled, urns } from "../components/testing/program.ts";

// A new name or parent replaces the deployed resource: change the golden file only together with an alias.
test("the existing stack creates these resources, and shows them before it contacts the cluster", async () => {
  await recordResources(true);
  pulumi.runtime.setAllConfig({
    "ebpf-dataplane:kubeconfig": "apiVersion: v1",
    "ebpf-dataplane:apiServerHost": "203.0.113.7",
    "ebpf-dataplane:existingKubeProxy": "remove",
    "ebpf-dataplane:verification": JSON.stringify({
      clients: [{ name: "client1", address: "198.51.100.55" }],
      entryAddress: "203.0.113.8",
      nodePort: 30604,
      podLabels: { app: "nginx" },
    }),
  });
  await import("./existing.ts");
  await settled();
  await expect(`${urns().join("\n")}\n`).toMatchFileSnapshot("golden/existing.urns.txt");
});
