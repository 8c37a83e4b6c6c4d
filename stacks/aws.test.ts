import { expect, test } from "vitest";
import { recordAws } from "../components/testing/aws.ts";
import { settled, urns } from "../components/testing/program.ts";

// Another name or parent means that a deployment is replaced: change the golden file only together with an alias.
test("the aws stack makes these resources", async () => {
  await recordAws();
  await import("./aws.ts");
  await settled();
  await expect(`${urns().join("\n")}\n`).toMatchFileSnapshot("golden/aws.urns.txt");
}, 60_000);
