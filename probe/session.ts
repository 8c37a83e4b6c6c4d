// Several batches, one after the other, whose sockets stay open in between.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { type AttemptResult, attemptsIn, type Probe, READY } from "./batch.ts";
import { portableProgram, resolveProbe } from "./by-portable.ts";
import { parseBatch } from "./client.ts";
import { Dialogue } from "./dialogue.ts";
import { namespaceOf } from "./namespaces.ts";
import { portableBatch, readPortable } from "./portable.ts";

/** A program in one network namespace that keeps sockets. */
interface Sender {
  send(probes: Probe[], emit: (result: AttemptResult) => void): Promise<void>;
  end(): void;
}

/**
 * Reads a batch from each line of the input (a JSON array) and prints one JSON line per attempt. Ends with an empty line, or with the
 * input, which also ends when the program at its other side is killed; then every socket is closed.
 */
export async function runSession(input: Readable, output: Writable, findNamespace = namespaceOf): Promise<void> {
  const senders = new Map<string, Sender>();
  const emit = (result: AttemptResult): void => void output.write(`${JSON.stringify(result)}\n`);
  const senderOf = ({ pod, netns }: Probe): Sender => {
    const key = netns ?? pod ?? "";
    const known = senders.get(key) ?? (key === "" ? ownSender() : elsewhere(netns ?? findNamespace(pod ?? "")));
    senders.set(key, known);
    return known;
  };
  const sendAll = async (probes: Probe[]): Promise<void> => {
    const answered = new Set<string>();
    const note = (result: AttemptResult): void => {
      answered.add(`${result.id}#${result.attempt}`);
      emit(result);
    };
    const failure = await trySend(probes, senderOf, note);
    for (const { id, count } of probes)
      for (let attempt = 1; attempt <= count; attempt++)
        if (!answered.has(`${id}#${attempt}`)) emit({ id, attempt, verdict: "none", error: failure });
  };
  output.write(`${READY}\n`);
  for await (const line of createInterface(input)) {
    if (line === "") break;
    const places = Map.groupBy(parseBatch(line), ({ pod, netns }) => netns ?? pod);
    await Promise.all([...places.values()].map(sendAll));
  }
  for (const sender of senders.values()) sender.end();
}

/** @returns why some have no result, if so */
async function trySend(
  probes: Probe[],
  senderOf: (probe: Probe) => Sender,
  note: (result: AttemptResult) => void,
): Promise<string> {
  try {
    const [first] = probes;
    if (first) await senderOf(first).send(probes, note);
  } catch (error) {
    return (error as Error).message;
  }
  return "the prober said nothing";
}

/** The portable prober, here: it has one implementation for every kind of machine. */
function ownSender(): Sender {
  const { dialogue, end } = start(portableProgram(), ["--session"]);
  return {
    send: async (probes, emit) => {
      const resolved = (await Promise.all(probes.map((probe) => resolveProbe(probe, emit)))).flat();
      if (resolved.length === 0) return;
      const hosts = new Map(probes.map(({ id, host }) => [id, host]));
      const each = (line: string): void => {
        const result = readPortable(line, resolved);
        const { host: address } = resolved.find(({ id }) => id === result.id) ?? {};
        emit({ ...result, ...(address !== hosts.get(result.id) && { address }) });
      };
      await dialogue.ask(JSON.stringify(portableBatch(resolved)), attemptsIn(resolved), each);
    },
    end,
  };
}

/** This program again, in another network namespace: names are resolved there too. */
function elsewhere(netns: string): Sender {
  const program = [process.execPath, ...process.execArgv, process.argv[1] ?? "", "probe", "--session"];
  const { dialogue, end } = start("nsenter", [`--net=${netns}`, "--", ...program]);
  return {
    send: (probes, emit) => {
      const own = probes.map((probe) => ({ ...probe, pod: undefined, netns: undefined }));
      return dialogue.ask(JSON.stringify(own), attemptsIn(own), (line) => emit(JSON.parse(line)));
    },
    end,
  };
}

function start(program: string, words: string[]): { dialogue: Dialogue; end: () => void } {
  const child = spawn(program, words, { stdio: ["pipe", "pipe", "pipe"] });
  const dialogue = new Dialogue({ write: (text) => void child.stdin.write(text), ended: endOf(child) });
  createInterface(child.stdout).on("line", (line) => line !== READY && dialogue.heard(line));
  return { dialogue, end: () => void child.stdin.end() };
}

/** Resolves with what the program said last. */
function endOf(child: ChildProcessWithoutNullStreams): Promise<string> {
  let said = "";
  child.stderr.on("data", (chunk) => {
    said = (said + chunk).slice(-500);
  });
  child.stdin.on("error", () => {}); // its end says more
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(said.trim() || `the prober that keeps sockets ended with code ${code}`));
  });
}
