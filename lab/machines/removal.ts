import { existsSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { LabFailure } from "../failure.ts";
import { registered } from "../journal.ts";
import { belongsToLab, labFolder } from "../names.ts";
import { findCgroups, processesIn, removeCgroups } from "./cgroups.ts";
import { run } from "./command.ts";
import { parseMountinfo } from "./mountinfo.ts";
import { findNamespaces, removeNamespaces } from "./network.ts";
import { isAlive, killAll, processesInNamespaces } from "./processes.ts";

/** What there is of a lab on this host, found by name and by the journal. */
export interface Remains {
  processes: number[];
  namespaces: string[];
  cgroups: string[];
  mounts: string[];
  folders: string[];
}

function findProcesses(lab: string): number[] {
  const noted = registered(lab).flatMap((one) => (one.kind === "process" && isAlive(one) ? [one.pid] : []));
  const inCgroups = findCgroups((name) => belongsToLab(lab, name)).flatMap(processesIn);
  return [...new Set([...noted, ...inCgroups, ...processesInNamespaces(findNamespaces(lab))])];
}

function findMounts(lab: string): string[] {
  const mounts = parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8"));
  return mounts.map(({ path }) => path).filter((path) => path.startsWith(`${labFolder(lab)}/`));
}

export function findRemains(lab: string): Remains {
  return {
    processes: findProcesses(lab),
    namespaces: findNamespaces(lab),
    cgroups: findCgroups((name) => belongsToLab(lab, name)),
    mounts: findMounts(lab),
    folders: [labFolder(lab)].filter(existsSync),
  };
}

const describe = (remains: Remains): string[] =>
  Object.entries(remains)
    .filter(([, found]) => found.length > 0)
    .map(([kind, found]) => `${kind}: ${found.join(", ")}`);

/**
 * Removes everything of a lab, running or half-made, whoever left it; succeeds when nothing is there.
 * Processes go first: with a machine's first process all others of it die, and with them its mounts.
 * @throws LabFailure naming what could not be removed.
 */
export async function removeLab(lab: string): Promise<void> {
  await killAll(() => findProcesses(lab));
  for (const path of findMounts(lab).reverse()) await run(["umount", path], { purpose: `unmount ${path}` });
  await removeNamespaces(findNamespaces(lab));
  await removeCgroups(findCgroups((name) => belongsToLab(lab, name)));
  await rm(labFolder(lab), { recursive: true, force: true, maxRetries: 3 });
  const left = describe(findRemains(lab));
  if (left.length > 0)
    throw new LabFailure(`lab ${lab} could not be removed whole; what remains:\n  ${left.join("\n  ")}`, {
      next: "end what uses them and run 'down' again",
    });
}
