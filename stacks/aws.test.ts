import { expect, test } from "vitest";
import { recordAws } from "../components/testing/aws.ts";
import { settled, urns } from "../components/testing/program.ts";

// A new name or parent replaces the deployed resource: change the golden file only together with an alias.
test("the aws stack creates these resources", async () => {
  await recordAws();
  await import("./aws.ts");
  await settled();
  await expect(`${urns().join("\n")}\n`).toMatchFileSnapshot("golden/aws.urns.txt");
});
