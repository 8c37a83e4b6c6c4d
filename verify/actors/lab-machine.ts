import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { AttemptResult } from "../../agent/probe/batch.ts";
import { type Actor, failureLine, longestBatchMs } from "./actor.ts";

/** Where the programs of this package are. */
export interface Programs {
  lab: string;
  agent: string;
}

/** A machine of the lab, entered through the lab's own command. The machine sees this computer's files. */
export function labMachine(programs: Programs, lab: string, machine: string): Actor {
  const command = [programs.lab, "exec", lab, machine, "--", process.execPath, programs.agent, "probe"];
  return {
    probe: async (batch) => {
      const child = spawn(process.execPath, command, {
        stdio: ["pipe", "pipe", "pipe"],
        timeout: longestBatchMs(batch),
      });
      let said = "";
      child.stderr.on("data", (chunk) => {
        said = (said + chunk).slice(-1000);
      });
      const ended = new Promise<number | null>((resolve, reject) => {
        child.once("error", reject);
        child.once("close", resolve);
      });
      // A child that ends early says why on its error stream; EPIPE would hide that.
      child.stdin.on("error", () => {});
      child.stdin.end(`${JSON.stringify(batch)}\n`);
      const results: AttemptResult[] = [];
      for await (const line of createInterface(child.stdout)) results.push(JSON.parse(line) as AttemptResult);
      const code = await ended;
      if (code !== 0) throw new Error(`machine ${machine}: ${failureLine(said, `the prober ended with code ${code}`)}`);
      return results;
    },
  };
}
