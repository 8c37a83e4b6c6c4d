import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { recordResources, settled, urns } from "../components/testing/program.ts";

// A new name or parent replaces the deployed resource: change the golden file only together with an alias.
test("the local stack creates these resources, whether or not a cluster exists", async () => {
  await recordResources(false);
  // Whatever the kernel of this computer has.
  pulumi.runtime.setAllConfig({ "ebpf-dataplane:ipFamilies": '["IPv4","IPv6"]' });
  await import("./local.ts");
  await settled();
  await expect(`${urns().join("\n")}\n`).toMatchFileSnapshot("golden/local.urns.txt");
});
