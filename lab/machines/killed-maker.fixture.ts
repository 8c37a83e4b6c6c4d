import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { expect } from "vitest";

/** Node's own start, ms. */
const START = 250;

/** Runs a program that makes a lab, and kills it after so many milliseconds, with the commands that it has begun: they would go on. */
export async function killedAfter(ms: number, program: string): Promise<void> {
  const maker = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: "ignore", detached: true });
  await setTimeout(START + ms);
  // Again until none is left: one may have begun another meanwhile.
  const left = () => group(maker.pid).map(kill);
  await expect.poll(left, { interval: 5 }).toEqual([]);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // has ended
  }
}

/** Processes of a process group, without those that have ended: proc_pid_stat(5), state and pgrp. */
function group(leader: number | undefined): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const [state, , pgrp] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
        return state !== "Z" && Number(pgrp) === leader;
      } catch {
        return false; // has ended
      }
    });
}
