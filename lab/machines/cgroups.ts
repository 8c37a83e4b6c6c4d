import { existsSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { LabFailure } from "../failure.ts";
import { type Mount, parseMountinfo } from "./mountinfo.ts";
import { isDeepInside, isFirstOfNamespace, killAll } from "./processes.ts";

/** A cgroup hierarchy of this host: one per controller set with cgroup v1, a single one with v2, both on hybrid hosts. */
export interface Hierarchy {
  type: "cgroup" | "cgroup2";
  path: string;
  /** The options to mount the same hierarchy again; "none" if there are none. */
  mountOptions: string;
}

/** Mount flags that are not part of a v1 hierarchy's identity (cgroups(7), cgroup-v1/cgroups.rst). */
const flags = new Set(["rw", "ro", "xattr", "noprefix", "clone_children", "cpuset_v2_mode", "favordynmods"]);

function describeHierarchy({ type, path, options }: Mount): Hierarchy {
  if (type === "cgroup2") return { type, path, mountOptions: "rw" };
  const identity = options.filter((option) => !flags.has(option) && !option.startsWith("release_agent="));
  const named = identity.every((option) => option.startsWith("name="));
  return { type: "cgroup", path, mountOptions: [...(named ? ["none"] : []), ...identity].join(",") };
}

/** The hierarchies among mounts, each once. */
export function hierarchiesOf(mounts: Mount[]): Hierarchy[] {
  const found = mounts.filter(({ type }) => type === "cgroup" || type === "cgroup2").map(describeHierarchy);
  const key = ({ type, mountOptions }: Hierarchy) => `${type} ${mountOptions}`;
  return found.filter((one, index) => found.findIndex((other) => key(other) === key(one)) === index);
}

export function hostHierarchies(): Hierarchy[] {
  return hierarchiesOf(parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8")));
}

/** A machine's cgroups, for boot.sh and for commands that enter the machine. */
export interface MachineCgroups {
  /** Its cgroup in every hierarchy. */
  roots: string[];
  /** The cgroups of its own processes: like roots, but a leaf in cgroup2, whose inner cgroups must not contain processes. */
  homes: string[];
  leaf: string | undefined;
  mounts: string;
}

export function machineCgroups(name: string, hierarchies = hostHierarchies()): MachineCgroups {
  const place = ({ type, path }: Hierarchy) => (type === "cgroup2" ? join(path, name, "init") : join(path, name));
  const unified = hierarchies.find(({ type }) => type === "cgroup2");
  return {
    roots: hierarchies.map(({ path }) => join(path, name)),
    homes: hierarchies.map(place),
    leaf: unified && place(unified),
    mounts: hierarchies.map(({ type, mountOptions, path }) => `${type} ${mountOptions} ${path}`).join("\n"),
  };
}

/** A v1 cpuset accepts no process until its processors and memory nodes are set. */
async function inheritCpuset(cgroup: string): Promise<void> {
  for (const file of ["cpuset.cpus", "cpuset.mems"])
    if (existsSync(join(cgroup, file)))
      await writeFile(join(cgroup, file), await readFile(join(dirname(cgroup), file), "utf8"));
}

/** The controllers that kubelet and the runtime use with cgroup v2, and whether they are required. */
const controllers = { cpu: true, memory: true, pids: true, cpuset: true, io: false, hugetlb: false };

/** Enables these controllers for children of the cgroup2 root. */
async function delegateControllers(root: string): Promise<void> {
  const enabled = (await readFile(join(root, "cgroup.subtree_control"), "utf8")).trim().split(" ");
  for (const [controller, required] of Object.entries(controllers))
    if (!enabled.includes(controller))
      await writeFile(join(root, "cgroup.subtree_control"), `+${controller}`).catch((error: Error) => {
        if (!required) return;
        throw new LabFailure(`cannot delegate the cgroup controller ${controller} below ${root}: ${error.message}`, {
          next: `run outside a container, or move the processes listed in ${root}/cgroup.procs to a child cgroup`,
        });
      });
}

/** Creates a machine's cgroups; they must not exist. */
export async function createCgroups(name: string, hierarchies = hostHierarchies()): Promise<MachineCgroups> {
  const cgroups = machineCgroups(name, hierarchies);
  // On a hybrid host v1 has the controllers, and cgroup2 only groups processes.
  if (hierarchies.every(({ type }) => type === "cgroup2"))
    await delegateControllers((hierarchies[0] as Hierarchy).path);
  for (const { type, path } of hierarchies) {
    await mkdir(join(path, name));
    if (type === "cgroup") await inheritCpuset(join(path, name));
  }
  if (cgroups.leaf) await mkdir(cgroups.leaf);
  return cgroups;
}

/** What is read of a cgroup, or this where it is gone: a container runtime removes its own at any moment. */
function unlessGone<T>(read: () => T, gone: T): T {
  try {
    return read();
  } catch (error) {
    if (["ENOENT", "ENODEV"].includes((error as NodeJS.ErrnoException).code ?? "")) return gone;
    throw error;
  }
}

/** All cgroups below and including one, deepest first. */
function treeOf(cgroup: string): string[] {
  const entries = unlessGone(() => readdirSync(cgroup, { withFileTypes: true }), undefined);
  if (!entries) return [];
  const children = entries.filter((entry) => entry.isDirectory());
  return [...children.flatMap((entry) => treeOf(join(cgroup, entry.name))), cgroup];
}

/** Cgroups of a lab (`LAB-*`) or one machine on this host, found by name, so that a lost journal does not matter. */
export function findCgroups(matches: (name: string) => boolean, hierarchies = hostHierarchies()): string[] {
  return hierarchies.flatMap(({ path }) =>
    readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && matches(entry.name))
      .map((entry) => join(path, entry.name)),
  );
}

/** Processes in a cgroup and below it. */
export const processesIn = (cgroup: string): number[] => listedIn(cgroup).filter((pid) => pid > 0);

/** Whether it has processes that this PID namespace does not show: of another container, or of this one's host (cgroups(7)). */
export const hasStrangers = (cgroup: string): boolean => listedIn(cgroup).includes(0);

/**
 * Whether its processes are of a machine that a container of this computer made. One that was made here has its first process
 * directly below this PID namespace, and without that process no other.
 */
export function isOfContainer(cgroup: string): boolean {
  const processes = processesIn(cgroup);
  return processes.some(isDeepInside) && !processes.some(isFirstOfNamespace);
}

function listedIn(cgroup: string): number[] {
  const texts = treeOf(cgroup).map((one) => unlessGone(() => readFileSync(join(one, "cgroup.procs"), "utf8"), ""));
  return texts.flatMap((text) => text.split("\n").filter(Boolean).map(Number));
}

/**
 * Removes cgroups bottom-up, and retries while their last processes end. Ends those that enter meanwhile: a machine that a killed
 * creator had begun to boot. @throws the last error after a minute.
 */
export async function removeCgroups(cgroups: string[]): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      for (const one of cgroups.flatMap(treeOf)) rmdirSync(one);
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await killAll(() => cgroups.flatMap(processesIn));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
