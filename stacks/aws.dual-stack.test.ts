import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { recordAws } from "../components/testing/aws.ts";
import { settled } from "../components/testing/program.ts";

test("with both families the aws stack's policy and verification have the addresses that AWS chose", async () => {
  const { inputsOf } = await recordAws();
  const settings = pulumi.runtime.allConfig();
  pulumi.runtime.setAllConfig({ ...settings, "ebpf-dataplane:ipFamilies": '["IPv4","IPv6"]' });
  await import("./aws.ts");
  await settled();
  const policy = inputsOf("kubernetes:networking.k8s.io/v1:NetworkPolicy", "dataplane-default-nginx-networkpolicy");
  expect(policy.spec).toMatchObject({
    ingress: [
      { from: [{ ipBlock: { cidr: "172.31.1.55/32" } }, { ipBlock: { cidr: "2001:db8:0:a00::ac1f:137/128" } }] },
    ],
  });
  const check = JSON.parse(inputsOf("command:local:Command", "source-ip-check").stdin as string);
  expect(JSON.stringify(check.checks)).toContain("tcp://[2001:db8:0:a00::ac1f:108]:30604");
});
