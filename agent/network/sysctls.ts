import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { replaceFile } from "../process/replace-file.ts";

/** Kernel settings by their path below /proc/sys. README.md in this folder explains each. */
export type Sysctls = ReadonlyMap<string, string>;

/** Settings of the node itself. */
export function nodeSysctls(): Sysctls {
  return new Map([["net/ipv4/ip_forward", "1"]]);
}

/** Settings of an uplink, the tunnel device or a pod's interface. 2 is the loose mode of RFC 3704: the kernel uses
 * the larger of this value and `all`, so 0 would not be enough if the distribution sets `all` to 1. */
export function deviceSysctls(device: string): Sysctls {
  return new Map([
    [`net/ipv4/conf/${device}/rp_filter`, "2"],
    [`net/ipv4/conf/${device}/forwarding`, "1"],
  ]);
}

/** Of the device by which answers to SCTP of the node's own processes arrive (own-requests.ts). Where they come from Services' addresses, the
 * stack looks for the way back with the packet's mark; where from a node port, it accepts packets with this machine's own addresses as their source. */
export function ownRequestSysctls(device: string, from: { ofServices: boolean; atNode: boolean }): Sysctls {
  return new Map([
    ...(from.ofServices ? [[`net/ipv4/conf/${device}/src_valid_mark`, "1"] as const] : []),
    ...(from.atNode ? [[`net/ipv4/conf/${device}/accept_local`, "1"] as const] : []),
  ]);
}

const CONF6 = "net/ipv6/conf";

/** What a node needs to route IPv6 for its pods; nothing once `all/forwarding` is set. A device that forwards does not accept router
 * advertisements, and loses its default route, unless accept_ra is 2: the value is raised first, on every device that accepts them now. */
export function nodeIpv6Sysctls(root: string): Sysctls {
  const read = (device: string, name: string) => readFileSync(`${root}/${CONF6}/${device}/${name}`, "utf8").trim();
  if (read("all", "forwarding") === "1") return new Map();
  const devices = readdirSync(`${root}/${CONF6}`).filter((name) => name !== "all" && name !== "default");
  const hosts = devices.filter((device) => read(device, "forwarding") === "0");
  const accepting = hosts.filter((device) => read(device, "accept_ra") === "1");
  return new Map([
    ...accepting.map((device) => [`${CONF6}/${device}/accept_ra`, "2"] as const),
    // The value of each device, although `all` sets them, so that each can be restored.
    ...hosts.map((device) => [`${CONF6}/${device}/forwarding`, "1"] as const),
    [`${CONF6}/all/forwarding`, "1"] as const,
  ]);
}

/** Settings of an uplink or the tunnel device for IPv6. An uplink that appeared after `all/forwarding` was set is not counted above. */
export function uplinkIpv6Sysctls(device: string, root: string): Sysctls {
  const accepts = readFileSync(`${root}/${CONF6}/${device}/accept_ra`, "utf8").trim() === "1";
  return new Map([
    ...(accepts ? [[`${CONF6}/${device}/accept_ra`, "2"] as const] : []),
    [`${CONF6}/${device}/forwarding`, "1"] as const,
  ]);
}

/** Settings of a pod's interface for IPv6: a pod is no router for its node. */
export function podIpv6Sysctls(device: string): Sysctls {
  return new Map([
    [`${CONF6}/${device}/accept_ra`, "0"],
    [`${CONF6}/${device}/accept_redirects`, "0"],
    [`${CONF6}/${device}/forwarding`, "1"],
  ]);
}

/** Sets the settings that differ. The first value that was found is saved in `memory` for restoreSysctls(). */
export function applySysctls(wanted: Sysctls, memory: string, root: string): string[] {
  const present = [...wanted.keys()].map((name) => [name, readFileSync(`${root}/${name}`, "utf8").trim()] as const);
  const differing = present.filter(([name, value]) => value !== wanted.get(name));
  if (differing.length === 0) return [];
  const before = recall(memory);
  for (const [name, value] of differing) before[name] ??= value;
  remember(memory, before);
  for (const [name] of differing) write(`${root}/${name}`, wanted.get(name) as string);
  return differing.map(([name]) => name);
}

/** Forgets the values of interfaces that no longer exist: pods come and go, and a new interface with the same name is another one. */
export function forgetGone(memory: string, root: string): void {
  const all = Object.entries(recall(memory));
  const left = all.filter(([name]) => existsSync(`${root}/${name}`));
  if (left.length < all.length) remember(memory, Object.fromEntries(left));
}

/** Restores the values that applySysctls() found, for interfaces that still exist. */
export function restoreSysctls(memory: string, root: string): void {
  // A value of `all` sets those of all devices.
  const isOfAll = ([name]: [string, string]) => Number(name.includes("/all/"));
  for (const [name, value] of Object.entries(recall(memory)).sort((a, b) => isOfAll(b) - isOfAll(a))) {
    if (existsSync(`${root}/${name}`)) write(`${root}/${name}`, value);
  }
  rmSync(memory, { force: true });
}

function write(path: string, value: string): void {
  try {
    writeFileSync(path, value);
  } catch (error) {
    throw new Error(
      `Cannot set ${path} to ${value}: ${error instanceof Error ? error.message : error}. Next: is the node's /proc/sys writable there (--sysctl-root)?`,
    );
  }
}

function recall(memory: string): Record<string, string> {
  return existsSync(memory) ? JSON.parse(readFileSync(memory, "utf8")) : {};
}

function remember(memory: string, values: Record<string, string>): void {
  replaceFile(memory, (draft) => writeFileSync(draft, JSON.stringify(values, null, 2)));
}
