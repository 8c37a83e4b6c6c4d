import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Actor, RunningCommand } from "./actor.ts";
import { startCapture } from "./capture.ts";
import { startKeeper } from "./keeper.ts";
import { serverCommand, startServer } from "./listen.ts";
import { prepareProber } from "./prober.ts";

/** Where the programs of this package are. */
export interface Programs {
  lab: string;
  /** The prober. */
  probe: string;
  /** Folder of the probers for machines over SSH. */
  probers: string;
}

/** A machine of the lab, entered through the lab's own command. The machine sees this computer's files. */
export function labMachine(programs: Programs, lab: string, machine: string): Actor {
  const enter = [programs.lab, "exec", lab, machine, "--", process.execPath, programs.probe];
  return {
    prepare: (batch) =>
      prepareProber(`machine ${machine}`, batch, async (onLine) => start([...enter, "probe", "--wait"], onLine)),
    keep: () => startKeeper(`machine ${machine}`, async (onLine) => start([...enter, "probe", "--session"], onLine)),
    capture: (filter) =>
      startCapture(`machine ${machine}`, async (onLine) => start([...enter, "capture", filter], onLine)),
    listen: (ports, name) =>
      startServer(`machine ${machine}`, async (onLine) => start([...enter, ...serverCommand(ports, name)], onLine)),
  };
}

function start(command: string[], onLine: (line: string) => void): RunningCommand {
  const child = spawn(process.execPath, command, { stdio: ["pipe", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr = (stderr + chunk).slice(-1000);
  });
  const output = createInterface(child.stdout).on("line", onLine);
  const read = new Promise((resolve) => output.once("close", resolve));
  // A child that ends early says why on its error stream; EPIPE would hide that.
  child.stdin.on("error", () => {});
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => void read.then(() => resolve({ code, stderr })));
  });
  return { write: (text) => void child.stdin.write(text), abort: () => void child.kill(), ended };
}
