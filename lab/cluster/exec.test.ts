import { expect, test } from "vitest";
import type { LabFailure } from "../failure.ts";
import { requireMachine } from "./exec.ts";
import type { ClusterState } from "./state.ts";

const state = { spec: { machines: [{ name: "master" }, { name: "client1" }] } } as ClusterState;

test.each([
  ["a machine", ["local", "mster"], /^lab local has no machine mster; did you mean "master"\?$/],
  ["a lab", ["locl", "master"], /^there is no lab locl; did you mean "local"\? \(labs here: local, other\)$/],
])("%s whose name is misspelt", (_, [lab, machine], message) => {
  const require = () => requireMachine(lab as string, machine as string, state, ["local", "other"]);
  expect(require).toThrow(
    expect.objectContaining({ message: expect.stringMatching(message), exitCode: 2 }) as LabFailure,
  );
});

test("a machine that is there, and one of a lab without a record", () => {
  requireMachine("local", "client1", state, ["local"]);
  requireMachine("test", "node", undefined, ["test"]);
});
