import { type ChildProcess, spawn } from "node:child_process";
import { enterArgv, runIn } from "../../../lab/machines/enter.ts";

/** Programs on the machines of a bare lab. */
export class Machines {
  readonly lab: string;
  /** What the message of a program that fails says besides. */
  more: (machine: string) => string = () => "";

  constructor(lab: string) {
    this.lab = lab;
  }

  /** Runs a program and gives its output; fails when it fails. */
  async run(machine: string, argv: string[], input = ""): Promise<string> {
    const { status, stdout, stderr } = await runIn(this.lab, machine, argv, { input });
    if (status !== 0)
      throw new Error(`${argv.join(" ")} on ${machine} ended with ${status}:\n${stdout}${stderr}${this.more(machine)}`);
    return stdout;
  }

  spawn(machine: string, argv: string[], input: "ignore" | "pipe" = "ignore"): ChildProcess {
    const [file = "", ...args] = enterArgv(this.lab, machine, argv);
    return spawn(file, args, { stdio: [input, "pipe", "pipe"] });
  }
}
