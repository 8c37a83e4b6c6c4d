import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { recordAws } from "../components/testing/aws.ts";
import { settled, urns } from "../components/testing/program.ts";

test("a preview shows every resource while addresses and the kubeconfig are unknown", async () => {
  const { inputsOf } = await recordAws({ preview: true });
  await import("./aws.ts");
  await settled();
  const golden = readFileSync(new URL("golden/aws.urns.txt", import.meta.url), "utf8");
  expect(`${urns().join("\n")}\n`).toBe(golden);
  const provider = inputsOf("pulumi:providers:kubernetes", "kubernetes");
  expect(JSON.stringify(provider.kubeconfig)).toContain("__pulumiUnknown");
});
