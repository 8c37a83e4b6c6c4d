// Tests an agent's requirements on this kernel: loads every program through the verifier, attaches one to an interface, and creates
// the interfaces. Runs in separate network and mount namespaces, so it leaves nothing behind.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attacher } from "../kernel/attach.ts";
import { loadPrograms } from "../kernel/load.ts";
import { pinsUnder, preparePins } from "../kernel/pins.ts";
import { networkDevices } from "../network/devices.ts";
import { ipBatch } from "../network/ip-command.ts";
import { tunnelCommands } from "../network/tunnel.ts";
import { wireguardCommands } from "../network/wireguard.ts";
import type { NodeReport, Obstacles } from "./report.ts";

export type KernelTrial = Pick<NodeReport, "attach" | "wireguard"> & {
  obstacles: Pick<Obstacles, "programs" | "attach" | "devices">;
};

/** Maximum length of a reason, in characters, because a report must be small. */
const LONGEST = 500;

/** Returns why an action failed, or "". */
export function obstacle(attempt: () => void): string {
  try {
    attempt();
    return "";
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return message.length > LONGEST ? `${message.slice(0, LONGEST)}…` : message;
  }
}

/** @param objects folder of the compiled programs */
export function tryKernel(objects: string): KernelTrial {
  const folder = mkdtempSync(join(tmpdir(), "features-"));
  const bpffs = join(folder, "bpf");
  mkdirSync(bpffs);
  execFileSync("mount", ["-t", "bpf", "bpf", bpffs]);
  try {
    return tryIn(folder, bpffs, objects);
  } finally {
    execFileSync("umount", [bpffs]);
    rmSync(folder, { recursive: true });
  }
}

function tryIn(folder: string, bpffs: string, objects: string): KernelTrial {
  const pins = pinsUnder(join(bpffs, "trial"));
  preparePins(pins);
  let attach = "";
  const tried: KernelTrial["obstacles"] = { programs: "", attach: "not tried", devices: "" };
  tried.programs = obstacle(() => {
    const loaded = loadPrograms({ objects, pins, logFile: join(folder, "verifier.log") }, "");
    tried.attach = obstacle(() => {
      const [loopback] = networkDevices();
      if (!loopback) throw new Error("this network namespace has no interface");
      const hooks = attacher(loaded, pins, false);
      for (const program of ["from_uplink", "to_uplink"] as const) hooks.device(program, loopback);
      attach = hooks.method;
    });
    loaded.close();
  });
  tried.devices = obstacle(() =>
    ipBatch(["link add trial0 type veth peer name trial1", ...tunnelCommands(undefined, 1450)]),
  );
  const wireguard = obstacle(() => ipBatch(wireguardCommands(undefined, 1390)));
  return { attach, wireguard, obstacles: tried };
}
