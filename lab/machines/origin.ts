import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { packageFolder } from "../installation.ts";
import { labFolder, originFile } from "../names.ts";
import { identify, type ProcessIdentity } from "./processes.ts";

/** Who made a lab, from where and when. */
export interface Origin {
  /** ISO 8601. */
  since: string;
  user?: string;
  /** Folder of the checkout or package whose program made it. */
  checkout?: string;
  /** PROJECT.STACK of the Pulumi program that asked for it. */
  stack?: string;
  /** The process that made the lab. A lab without a cluster belongs to this process. */
  maker?: ProcessIdentity;
}

/** Makes a lab's folder and, if it is new, records who made it. */
export function beginLab(lab: string): void {
  mkdirSync(labFolder(lab), { recursive: true, mode: 0o700 });
  if (existsSync(originFile(lab))) return;
  const stack = process.env.EBPF_DATAPLANE_STACK;
  const origin: Origin = {
    since: new Date().toISOString(),
    user: user(),
    checkout: packageFolder,
    ...(stack && { stack }),
    maker: identify(process.pid),
  };
  writeFileSync(originFile(lab), JSON.stringify(origin), { mode: 0o600 });
}

/** The user that called sudo, if there is one. */
function user(): string {
  if (process.env.SUDO_USER) return process.env.SUDO_USER;
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.()}`; // has no entry in passwd(5)
  }
}

/** Undefined if the lab has no folder. Of a lab without a readable record only the time is known. */
export function readOrigin(lab: string): Origin | undefined {
  try {
    const since = statSync(labFolder(lab)).birthtime.toISOString();
    try {
      return { since, ...(JSON.parse(readFileSync(originFile(lab), "utf8")) as Partial<Origin>) };
    } catch {
      return { since };
    }
  } catch {
    return undefined;
  }
}
