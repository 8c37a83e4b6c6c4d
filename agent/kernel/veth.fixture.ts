// Pairs of interfaces in this namespace, and packets into them.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Device } from "./device-hooks.ts";

/** A pair whose other end, NAME-peer, is up and sends packets into it. @param up whether it is up itself */
export function veth(name: string, up = true): Device {
  // no IPv6: its announcements would be counted too
  execFileSync("sysctl", ["-qw", "net.ipv6.conf.default.disable_ipv6=1"]);
  execFileSync("ip", ["link", "add", name, "type", "veth", "peer", "name", `${name}-peer`]);
  execFileSync("ip", ["address", "add", "10.99.0.1/24", "dev", `${name}-peer`]);
  for (const end of [...(up ? [name] : []), `${name}-peer`]) execFileSync("ip", ["link", "set", end, "up"]);
  const [link] = JSON.parse(execFileSync("ip", ["-json", "link", "show", "dev", name], { encoding: "utf8" }));
  return { name, ifindex: link.ifindex };
}

/** Sends a packet into the interface. Multicast is sent at once: it needs no neighbor resolution. */
export function knock(name: string): void {
  execFileSync("ip", ["route", "replace", "239.0.0.0/8", "dev", `${name}-peer`]);
  execFileSync("bash", ["-c", "echo > /dev/udp/239.0.0.1/9"]);
}

/** IP packets that came in on any interface of this namespace. */
export function received(): number {
  const [names, values] = readFileSync("/proc/net/snmp", "utf8")
    .split("\n")
    .filter((line) => line.startsWith("Ip:"));
  return Number(values?.split(" ")[names?.split(" ").indexOf("InReceives") ?? 0]);
}
