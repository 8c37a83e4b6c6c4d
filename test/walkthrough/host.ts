// What a lab can leave on a computer, found without any of the lab's own code: by the lab's name, and by comparison.
import { execFileSync } from "node:child_process";
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Every list is sorted and contains names. */
export interface Traces {
  namespaces: string[];
  mounts: string[];
  cgroups: string[];
  processes: string[];
  folders: string[];
  /** All of them in the computer's own network namespace. */
  links: string[];
  pins: string[];
}

export function tracesOf(lab: string): Traces {
  return {
    namespaces: entries("/run/netns").filter((name) => name.startsWith(`${lab}-`)),
    mounts: lines(readFileSync("/proc/self/mounts", "utf8")).filter((line) => line.includes(`/labs/${lab}/`)),
    cgroups: globSync(["/sys/fs/cgroup/*", "/sys/fs/cgroup/*/*"])
      .filter((path) => path.split("/").at(-1)?.startsWith(`${lab}-`))
      .sort(),
    processes: processes().filter((line) => new RegExp(`(^|[\\s/=:])${lab}-|/labs/${lab}/`).test(line)),
    folders: entries("/var/lib/ebpf-dataplane/labs").filter((name) => name === lab),
    links: lines(execFileSync("ip", ["-brief", "link"], { encoding: "utf8" }))
      .map((line) => line.split(/\s/)[0] as string)
      .sort(),
    pins: entries("/sys/fs/bpf"),
  };
}

/** What is there that was not there before. Interfaces and pins of others may have gone meanwhile. */
export function leftSince(before: Traces, lab: string): Partial<Traces> {
  const kinds = Object.entries(tracesOf(lab)) as [keyof Traces, string[]][];
  const left = kinds.map(([kind, now]) => [kind, now.filter((one) => !before[kind].includes(one))] as const);
  return Object.fromEntries(left.filter(([, found]) => found.length > 0));
}

/** Whether anything of a lab is left, as by a test that was killed. */
export function isLeft(lab: string): boolean {
  const { namespaces, mounts, cgroups, processes, folders } = tracesOf(lab);
  return [namespaces, mounts, cgroups, processes, folders].some((found) => found.length > 0);
}

/** Command line and cgroups of each: a lab's name is in one of them. */
function processes(): string[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return pids.flatMap((pid) => {
    const words = content(join("/proc", pid, "cmdline"))
      .replaceAll("\0", " ")
      .trim();
    return words === "" ? [] : [`${words} ${content(join("/proc", pid, "cgroup")).replaceAll("\n", " ")}`];
  });
}

/** Empty for a process that has ended meanwhile. */
function content(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

const entries = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder).sort() : []);
const lines = (text: string): string[] => text.split("\n").filter((line) => line !== "");
