import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { LabFailure } from "../../lab/failure.ts";
import { commandFailure } from "../../lab/machines/command.ts";
import { enterArgv, runIn } from "../../lab/machines/enter.ts";
import { lastLines } from "../../lab/machines/log.ts";
import type { NetworkMachine } from "../../lab/machines/network.ts";
import { machineDisk, machineFolder } from "../../lab/names.ts";

/** A program that runs in a machine until it is stopped, or until this process ends. */
export interface RunningProgram {
  readonly log: string;
  readonly ended: boolean;
  /** SIGTERM by default; resolves when the program is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** A machine of a bare lab, for benchmarks. */
export class TestbedMachine {
  readonly lab: string;
  readonly name: string;
  readonly address: string;

  constructor(lab: string, { name, address }: NetworkMachine) {
    this.lab = lab;
    this.name = name;
    this.address = address;
  }

  /** Runs a command and returns its output. @throws LabFailure with its error output. */
  async run(argv: string[], input = "", timeout = 60_000): Promise<string> {
    const result = await runIn(this.lab, this.name, argv, { input, timeout });
    if (result.status === 0) return result.stdout;
    throw commandFailure(`do this on machine ${this.name}`, argv, result);
  }

  /** The command line that runs a command in this machine, or in one of its named network namespaces. */
  argv(command: string[], namespace?: string): string[] {
    const inside = namespace ? ["nsenter", `--net=/run/netns/${namespace}`, ...command] : command;
    return enterArgv(this.lab, this.name, inside);
  }

  /** Starts a program; its output goes to a log in the machine's folder. */
  start(name: string, command: string[], namespace?: string): RunningProgram {
    const [file = "", ...args] = this.argv(command, namespace);
    const log = join(machineFolder(this.lab, this.name), `${name}.log`);
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] });
    const output = createWriteStream(log, { flags: "a" });
    for (const stream of [child.stdout, child.stderr]) stream.pipe(output, { end: false });
    return new Program(child, log);
  }

  /** Writes a file on the machine's disk; `path` is as the machine sees it, below /etc, /opt, /root, /tmp or /var. */
  async write(path: string, text: string): Promise<void> {
    const file = join(machineDisk(this.lab, this.name), path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

class Program implements RunningProgram {
  readonly log: string;
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;
  #ended = false;

  constructor(child: ChildProcess, log: string) {
    this.#child = child;
    this.log = log;
    this.#gone = new Promise((resolve) => {
      const end = () => {
        this.#ended = true;
        resolve();
      };
      child.once("exit", end);
      child.once("error", end);
    });
  }

  get ended(): boolean {
    return this.#ended;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (!this.#ended) this.#child.kill(signal);
    const impatient = setTimeout(() => this.#child.kill("SIGKILL"), 5000);
    await this.#gone;
    clearTimeout(impatient);
  }
}

/**
 * Waits for a condition, with a timeout.
 * @param seconds timeout
 * @throws LabFailure with the end of the program's log when it exited, or on timeout
 */
export async function waitUntil(
  what: string,
  seconds: number,
  holds: () => Promise<boolean>,
  program?: RunningProgram,
): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await holds())) {
    const over = Date.now() > end;
    if (!over && !program?.ended) await new Promise((resolve) => setTimeout(resolve, 50));
    else {
      const said = program ? `:\n${lastLines(program.log)}` : "";
      throw new LabFailure(
        `waited for ${what}, ${over ? `${seconds} s were not enough` : "but its program ended"}${said}`,
      );
    }
  }
}

/** Ten minutes: enough for a first synchronization of ten thousand services on a busy computer. */
const patienceSeconds = 600;

/** Waits until a program's health endpoint, as its machine reaches it, answers 200. One process polls it. */
export async function waitUntilHealthy(machine: TestbedMachine, url: string, program: RunningProgram): Promise<void> {
  const ask = `const ask = () => fetch(${JSON.stringify(url)}).then((r) => r.ok, () => false);
    (async () => { while (!(await ask())) await new Promise((resolve) => setTimeout(resolve, 50)); })()`;
  const asking = machine.start("health", [process.execPath, "-e", ask]);
  try {
    await waitUntil(`${url} on ${machine.name}`, patienceSeconds, async () => asking.ended, program);
  } finally {
    await asking.stop("SIGKILL");
  }
}
