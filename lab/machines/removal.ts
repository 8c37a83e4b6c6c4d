import { existsSync, readFileSync } from "node:fs";
import { rm, rmdir } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout } from "node:timers/promises";
import { LabFailure } from "../failure.ts";
import { registered } from "../journal.ts";
import { belongsToLab, labFolder, labsFolder } from "../names.ts";
import { findCgroups, hasStrangers, isOfContainer, processesIn, removeCgroups } from "./cgroups.ts";
import { run } from "./command.ts";
import { parseMountinfo } from "./mountinfo.ts";
import { findNamespaces, removeNamespaces } from "./namespaces.ts";
import { isAlive, killAll, processesInNamespaces } from "./processes.ts";

/** The resources of a lab on this host, found by name and through the journal. */
export interface Remains {
  processes: number[];
  namespaces: string[];
  cgroups: string[];
  mounts: string[];
  folders: string[];
}

const unique = <T>(...lists: T[][]): T[] => [...new Set(lists.flat())];

function namespacesOf(lab: string): string[] {
  const noted = registered(lab).flatMap((one) => (one.kind === "namespace" ? [one.name] : []));
  return unique(
    noted.filter((name) => existsSync(`/run/netns/${name}`)),
    findNamespaces(lab),
  );
}

function cgroupsOf(lab: string): string[] {
  const noted = registered(lab).flatMap((one) => (one.kind === "cgroup" ? [one.path] : []));
  return unique(
    noted.filter(existsSync),
    findCgroups((name) => belongsToLab(lab, name)),
  );
}

/** Labs in containers and on their host share the hierarchies of cgroups. @throws LabFailure if one elsewhere has the name */
export function requireNoStrangers(lab: string): void {
  const cgroups = cgroupsOf(lab);
  const outside = cgroups.find(hasStrangers);
  if (outside !== undefined)
    throw new LabFailure(
      `there is a lab ${lab} outside of this container already: the cgroup ${outside} has processes of the host or of another container`,
      { next: "choose another name here: EBPF_DATAPLANE_LAB=NAME make up" },
    );
  // A lab that was made here and is being removed still has its namespaces.
  const inside = findNamespaces(lab).length === 0 ? cgroups.find(isOfContainer) : undefined;
  if (inside === undefined) return;
  throw new LabFailure(
    `there is a lab ${lab} in a container of this computer: the cgroup ${inside} has processes of that container`,
    { next: "run the same command in that container, or choose another name here: EBPF_DATAPLANE_LAB=NAME make up" },
  );
}

function processesOf(lab: string): number[] {
  const noted = registered(lab).flatMap((one) => (one.kind === "process" && isAlive(one) ? [one.pid] : []));
  return unique(noted, cgroupsOf(lab).flatMap(processesIn), processesInNamespaces(namespacesOf(lab)));
}

function mountsOf(lab: string): string[] {
  const mounts = parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8"));
  return mounts.map(({ path }) => path).filter((path) => path.startsWith(`${labFolder(lab)}/`));
}

export function findRemains(lab: string): Remains {
  return {
    processes: processesOf(lab),
    namespaces: namespacesOf(lab),
    cgroups: cgroupsOf(lab),
    mounts: mountsOf(lab),
    folders: [labFolder(lab)].filter(existsSync),
  };
}

/** Removes the folders above a lab's if it was the last one. */
async function removeEmptyParents(): Promise<void> {
  for (const folder of [labsFolder, dirname(labsFolder)]) await rmdir(folder).catch(() => {}); // not empty: still in use
}

const describe = (remains: Remains): string[] =>
  Object.entries(remains)
    .filter(([, found]) => found.length > 0)
    .map(([kind, found]) => `${kind}: ${found.join(", ")}`);

/**
 * Removes everything of a lab, running or incomplete; succeeds if nothing exists. Processes
 * are ended first: a machine's first process takes all its others with it, and these its mounts.
 * @throws LabFailure that lists what could not be removed.
 */
export async function removeLab(lab: string): Promise<void> {
  let left: string[] = [];
  const deadline = performance.now() + PATIENCE_MS;
  // A creator that was killed may leave a command of its own running, which completes what it was about.
  for (;;) {
    await removeWhatIsThere(lab);
    left = describe(findRemains(lab));
    if (left.length === 0) return;
    if (performance.now() > deadline) break;
    await setTimeout(PAUSE_MS);
  }
  throw new LabFailure(`lab ${lab} could not be removed completely; remaining:\n  ${left.join("\n  ")}`, {
    next: "end what uses them and run 'down' again",
  });
}

const PATIENCE_MS = 30_000;
const PAUSE_MS = 200;

async function removeWhatIsThere(lab: string): Promise<void> {
  await killAll(() => processesOf(lab));
  for (const path of mountsOf(lab).reverse()) await run(["umount", path], { purpose: `unmount ${path}` });
  await removeNamespaces(namespacesOf(lab));
  await removeCgroups(cgroupsOf(lab));
  await rm(labFolder(lab), { recursive: true, force: true, maxRetries: 3 });
  await removeEmptyParents();
}
