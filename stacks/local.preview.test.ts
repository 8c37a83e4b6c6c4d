import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { recordResources, settled, urns } from "../components/testing/program.ts";

test("a preview shows every resource while the kubeconfig is unknown", async () => {
  const resources = await recordResources(true);
  // Whatever the kernel of this computer has.
  pulumi.runtime.setAllConfig({ "ebpf-dataplane:ipFamilies": '["IPv4","IPv6"]' });
  await import("./local.ts");
  await settled();
  const golden = readFileSync(new URL("golden/local.urns.txt", import.meta.url), "utf8");
  expect(`${urns().join("\n")}\n`).toBe(golden);
  const provider = resources.find((resource) => resource.type === "pulumi:providers:kubernetes");
  expect(JSON.stringify(provider?.inputs.kubeconfig)).toContain("__pulumiUnknown");
});
