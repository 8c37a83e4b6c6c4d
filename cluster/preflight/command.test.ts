import { expect, onTestFinished, test, vi } from "vitest";
import { preflightSchema } from "../../components/documents/preflight.ts";
import { type PreflightOptions, plannedIn, showPreflight } from "./command.ts";
import { ok, refused } from "./finding.ts";
import type { Preflight } from "./run.ts";

const found: Preflight = {
  ...{ clusterId: "6b2c", version: "v1.35.0", nodes: [] },
  findings: [refused("network plugin", "flannel is there", "remove it", ["worker1"]), ok("rights", "all")],
  refused: 1,
};

/** What is printed: the result's stream, and the messages. */
function shown(options: Partial<PreflightOptions>) {
  const given = { json: false, document: false, ...options };
  const lines: string[] = [];
  const out = vi.spyOn(process.stdout, "write").mockImplementation((text) => lines.push(String(text)) > 0);
  onTestFinished(() => out.mockRestore());
  const said: string[] = [];
  const show = () => showPreflight(found, preflightSchema.parse(plannedIn(given)), given, (line) => said.push(line));
  expect(show).toThrow("1 of 2 findings block the dataplane; nothing was changed");
  return { out: lines.join(""), said: said.join("\n") };
}

test("a person gets a table, and hears that no node was asked", () => {
  const { out, said } = shown({});
  expect(out).toContain("next: remove it");
  expect(said).toContain("--image IMAGE starts a short-lived pod on each");
  expect(shown({ image: "images.example.com/agent:1" }).said).toBe("");
});

test("a program gets the document, a deployment both", () => {
  expect(JSON.parse(shown({ json: true }).out)).toEqual(found);
  const deployment = shown({ document: true });
  expect(JSON.parse(deployment.out)).toEqual(found);
  expect(deployment.said).toContain("next: remove it");
});

test("options become the plan, by the rules of the plan", () => {
  const given = { podCidr: ["10.1.0.0/16"], serviceSubnet: "10.100.0.0/16", json: false, document: false };
  expect(preflightSchema.parse(plannedIn(given))).toMatchObject({
    podCidrs: ["10.1.0.0/16"],
    serviceSubnet: "10.100.0.0/16",
  });
  // A namespace of the user's is not made.
  const ours = plannedIn({ ...given, namespace: "net" });
  expect(preflightSchema.parse(ours)).toMatchObject({ namespace: "net", createNamespace: false });
  expect(preflightSchema.safeParse(plannedIn({ ...given, serviceSubnet: "10.100.0.1/16" })).success).toBe(false);
});
