import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { recordResources, settled } from "../components/testing/program.ts";

test("with IPv6 alone nothing of the local stack has an IPv4 address or network of machines, pods or policies", async () => {
  const resources = await recordResources();
  pulumi.runtime.setAllConfig({ "ebpf-dataplane:ipFamilies": '["IPv6"]' });
  const { url } = await import("./local.ts");
  await settled();
  expect(url).toBe("http://[fd00:172:31:1::8]:30604");
  const inputsOf = (name: string) => resources.find((resource) => resource.name === name)?.inputs ?? {};
  const pools = resources
    .filter(({ type }) => type.endsWith(":IPPool"))
    .map(({ inputs }) => (inputs.spec as { cidr: string }).cidr);
  expect(pools).toEqual(["fd00:10:244::/56"]);
  for (const name of ["cluster-lab", "nginx", "source-ip-verify"])
    expect(JSON.stringify(inputsOf(name))).not.toMatch(/172\.31\.|10\.244\./);
});
