import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { type AttemptResult, type Probe, READY } from "./batch.ts";
import { namespaceOf } from "./namespaces.ts";
import { runBatch } from "./run-batch.ts";

/** All senders are started and wait, because starting them takes CPU from the measurement. */
export interface Prepared {
  /** Resolves when every attempt has its result. */
  send(): Promise<void>;
}

/** Prepares a batch that may leave from several network namespaces: one process per network namespace. Resolves when all of them are ready, or have failed. */
export async function fanOut(
  probes: Probe[],
  emit: (result: AttemptResult) => void,
  findNamespace: (pod: string) => string = namespaceOf,
): Promise<Prepared> {
  const here = probes.filter(({ pod, netns }) => pod === undefined && netns === undefined);
  const elsewhere = Map.groupBy(
    probes.filter((probe) => !here.includes(probe)),
    ({ pod, netns }) => netns ?? pod,
  );
  const senders = await Promise.all(
    [...elsewhere.values()].map((probes) => {
      const [{ pod = "", netns } = {}] = probes;
      const own = probes.map((probe) => ({ ...probe, pod: undefined, netns: undefined }));
      return inNamespace(own, emit, () => netns ?? findNamespace(pod));
    }),
  );
  return {
    send: async () => {
      await Promise.all([runBatch(here, emit), ...senders.map((sender) => sender.send())]);
    },
  };
}

/** If a namespace cannot be entered, each of its probes reports that. */
async function inNamespace(own: Probe[], emit: (result: AttemptResult) => void, find: () => string): Promise<Prepared> {
  const answered = new Set<string>();
  const note = (result: AttemptResult): void => {
    answered.add(`${result.id}#${result.attempt}`);
    emit(result);
  };
  const rest = (error: unknown): void => {
    for (const result of unanswered(own, answered, (error as Error).message)) emit(result);
  };
  try {
    const prepared = await prepareIn(find(), own, note);
    return { send: () => prepared.send().catch(rest) };
  } catch (error) {
    return { send: async () => rest(error) };
  }
}

/** This program again, inside the network namespace: setns(2) works per thread, and Node has many. */
export async function prepareIn(
  netns: string,
  probes: Probe[],
  emit: (result: AttemptResult) => void,
): Promise<Prepared> {
  const program = [process.execPath, ...process.execArgv, process.argv[1] ?? "", "probe", "--wait"];
  const child = spawn("nsenter", [`--net=${netns}`, "--", ...program], { stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said = (said + chunk).slice(-500);
  });
  // The child may exit before it has read everything; its exit code is more useful than EPIPE.
  child.stdin.on("error", () => {});
  child.stdin.write(`${JSON.stringify(probes)}\n`);
  const output = createInterface(child.stdout);
  const read = new Promise<void>((resolve) => output.once("close", resolve));
  const ended = new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? void read.then(resolve) : reject(new Error(said.trim() || `nsenter ended with code ${code}`)),
    );
  });
  const ready = new Promise<void>((resolve) => {
    output.on("line", (line) => (line === READY ? resolve() : emit(JSON.parse(line) as AttemptResult)));
  });
  await Promise.race([ready, ended]);
  return {
    send: async () => {
      child.stdin.end("\n");
      await ended;
    },
  };
}

function unanswered(probes: Probe[], answered: Set<string>, error: string): AttemptResult[] {
  return probes.flatMap(({ id, count }) =>
    Array.from({ length: count }, (_, index) => index + 1)
      .filter((attempt) => !answered.has(`${id}#${attempt}`))
      .map((attempt) => ({ id, attempt, verdict: "none" as const, error })),
  );
}
