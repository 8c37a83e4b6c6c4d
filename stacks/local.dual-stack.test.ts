import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { recordResources, settled } from "../components/testing/program.ts";

test("with both families the local stack's cluster, dataplane and service have both address families", async () => {
  const resources = await recordResources();
  pulumi.runtime.setAllConfig({ "ebpf-dataplane:ipFamilies": '["IPv4","IPv6"]' });
  await import("./local.ts");
  await settled();
  const inputsOf = (name: string) => resources.find((resource) => resource.name === name)?.inputs ?? {};
  const lab = JSON.parse(inputsOf("cluster-lab").stdin as string);
  const { "settings.json": text = "" } = inputsOf("dataplane-configmap").data as Record<string, string>;
  const settings = JSON.parse(text);
  expect(settings.serviceSubnetIpv6).toBe(lab.serviceSubnetIpv6);
  expect(inputsOf("dataplane-default-ipv6-ippool-ippool").spec).toMatchObject({
    cidr: lab.podSubnetIpv6,
    blockSize: 122,
  });
  const service = resources.find(({ type, name }) => type === "kubernetes:core/v1:Service" && name === "nginx");
  expect(service?.inputs.spec).toMatchObject({ ipFamilyPolicy: "RequireDualStack" });
});
