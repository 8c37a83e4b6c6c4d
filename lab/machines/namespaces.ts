import { existsSync, readdirSync } from "node:fs";
import { register } from "../journal.ts";
import { belongsToLab } from "../names.ts";
import { attempt, run } from "./command.ts";

/** Whether this host's kernel has IPv6 (false when it was started with `ipv6.disable=1`). */
export const hasIpv6 = (): boolean => existsSync("/proc/sys/net/ipv6");

/** Runs lines of ip(8) in a namespace, never in the host's own. */
export async function ipBatch(namespace: string, purpose: string, lines: string[]): Promise<void> {
  await run(["ip", "-netns", namespace, "-batch", "-"], { input: `${lines.join("\n")}\n`, purpose });
}

/** The prefix of a command line that runs in a network namespace. */
export const inNamespace = (namespace: string): string[] => ["nsenter", `--net=/run/netns/${namespace}`];

/** Sets kernel settings of a network namespace. */
export async function setInNamespace(namespace: string, purpose: string, settings: string[]): Promise<void> {
  await run([...inNamespace(namespace), "sysctl", "--quiet", "--write", ...settings], { purpose });
}

/** Network namespaces of a lab, by name. */
export function findNamespaces(lab: string): string[] {
  return existsSync("/run/netns") ? readdirSync("/run/netns").filter((name) => belongsToLab(lab, name)) : [];
}

/** Creates a network namespace, unless it exists. @returns whether it did. */
export async function ensureNamespace(lab: string, name: string): Promise<boolean> {
  if (existsSync(`/run/netns/${name}`)) return true;
  register(lab, { kind: "namespace", name });
  await run(["ip", "netns", "add", name], { purpose: `create the network namespace ${name}` });
  return false;
}

/** Removes network namespaces, with all links, routes, filters and attached programs in them. */
export async function removeNamespaces(names: string[]): Promise<void> {
  await Promise.all(names.map((name) => run(["ip", "netns", "delete", name], { purpose: `remove namespace ${name}` })));
  // ip(8) mounts the folder on itself when it creates the first namespace of a host, and never unmounts it.
  if (names.length > 0 && readdirSync("/run/netns").length === 0) await attempt(["umount", "/run/netns"]);
}
