import { expect, test } from "vitest";
import type { Operation } from "../operation.ts";
import { recordProgress } from "../testing/operation.ts";
import { deleteLocalCommand, localCommand } from "./local-command.ts";

const operation = (inputs: Record<string, unknown>): Operation => ({
  type: "command:local:Command",
  name: "hello",
  urn: "",
  parent: "",
  provider: "",
  references: {},
  custom: true,
  inputs,
});

async function run(inputs: Record<string, unknown>) {
  const { lines, progress } = recordProgress();
  const outcome = await localCommand("/")(operation(inputs), progress, new AbortController().signal);
  return { lines, state: outcome.state };
}

test("localCommand() passes stdin, environment and folder, and returns the output without its last newline", async () => {
  const { state } = await run({ create: 'cat; echo "$A $PWD"', stdin: "in ", environment: { A: "b" }, dir: "/tmp" });
  expect(state).toMatchObject({ stdout: "in b /tmp", stderr: "" });
});

test("localCommand() uses the given interpreter", async () => {
  const { state } = await run({ create: "process.stdout.write('x' + 1)", interpreter: [process.execPath, "-e"] });
  expect(state.stdout).toBe("x1");
});

test.each([
  ["none", []],
  ["stdout", ["out"]],
  ["stderr", ["err"]],
])("localCommand() shows %s", async (logging, shown) => {
  expect((await run({ create: "echo out; echo err >&2", logging })).lines).toEqual(shown);
});

test("localCommand() fails with the exit code and the output not shown yet, never with the command", async () => {
  await expect(run({ create: "echo why >&2; exit 3 # secret", logging: "none" })).rejects.toThrow(
    /^its command ended with exit code 3\nwhy$/,
  );
  await expect(run({ create: "kill -9 $$" })).rejects.toThrow("its command ended with SIGKILL");
  await expect(run({ create: "x", interpreter: ["/no/such/program"] })).rejects.toThrow(
    "cannot start /no/such/program",
  );
});

test("localCommand() refuses inputs that it does not support", async () => {
  await expect(run({ create: "true", assetPaths: ["*"] })).rejects.toThrow("assetPaths");
});

test("localCommand() survives a command that does not read its input", async () => {
  await expect(run({ create: "exec 0<&-; true", stdin: "x".repeat(1_000_000) })).resolves.toBeDefined();
});

test("deleteLocalCommand() runs delete only", async () => {
  const { lines, progress } = recordProgress();
  await deleteLocalCommand(operation({ create: "echo made", delete: "echo gone" }), "/", progress);
  await deleteLocalCommand(operation({ create: "echo made" }), "/", progress);
  expect(lines).toEqual(["gone"]);
});
