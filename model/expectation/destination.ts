import { familyOf } from "../address/address.ts";
import { FormatError, type PodSelection, parsePod, requireName } from "./place.ts";

/** What a probe connects to, before anything is looked up. */
export type Host =
  | { kind: "address"; address: string }
  | { kind: "node"; name: string }
  | ({ kind: "pod" } & PodSelection)
  | { kind: "service"; namespace: string; name: string }
  | { kind: "name"; name: string };

export interface Destination {
  protocol: "tcp" | "udp";
  host: Host;
  port: number;
}

/** Ports of TCP and UDP. */
export const PORTS = { least: 1, most: 65_535 };

export const DESTINATION = "tcp://HOST:PORT or udp://HOST:PORT";

const hosts =
  "an address (IPv6 in brackets), node/NAME, pod/NAMESPACE/NAME, pod/NAMESPACE/LABEL=VALUE, service/NAMESPACE/NAME or a DNS name";

/**
 * Reads `tcp://HOST:PORT` or `udp://HOST:PORT`. By hand: hosts hold slashes (`service/default/nginx`), which every URL
 * parser would take for a path.
 */
export function parseDestination(text: string): Destination {
  const scheme = text.match(/^([a-z]+):\/\//)?.[1];
  if (scheme !== "tcp" && scheme !== "udp") {
    throw new FormatError(`"${text}" does not start with a protocol`, DESTINATION);
  }
  const rest = text.slice(scheme.length + 3);
  const colon = rest.lastIndexOf(":");
  const port = rest.slice(colon + 1);
  if (colon < 1 || !/^\d+$/.test(port) || Number(port) < PORTS.least || Number(port) > PORTS.most) {
    throw new FormatError(
      `"${text}" does not end with a port`,
      `${scheme}://HOST:PORT with a port from ${PORTS.least} to ${PORTS.most}`,
    );
  }
  return { protocol: scheme, host: parseHost(text, rest.slice(0, colon)), port: Number(port) };
}

function parseHost(text: string, host: string): Host {
  const bracketed = host.match(/^\[(.*)\]$/)?.[1];
  if (bracketed !== undefined) {
    if (familyOf(bracketed) === "IPv6") return { kind: "address", address: bracketed };
    throw new FormatError(`"${bracketed}" in "${text}" is not an IPv6 address`, hosts);
  }
  if (familyOf(host) === "IPv6")
    throw new FormatError(`"${text}": an IPv6 address goes in brackets`, `tcp://[${host}]:80`);
  if (familyOf(host) === "IPv4") return { kind: "address", address: host };
  // A name cannot be all digits and dots: such a text is an address that is wrong.
  if (/^[\d.]+$/.test(host)) throw new FormatError(`"${host}" in "${text}" is not an IPv4 address`, hosts);

  const [kind, ...parts] = host.split("/");
  if (kind === "node" && parts.length === 1) return { kind, name: requireName(text, parts[0] ?? "") };
  if (kind === "pod" && parts.length > 0) return { kind, ...parsePod(text, parts.join("/")) };
  if (kind === "service" && parts.length === 2) {
    const [namespace = "", name = ""] = parts;
    return { kind, namespace: requireName(text, namespace), name: requireName(text, name) };
  }
  if (parts.length === 0) return { kind: "name", name: requireName(text, host.replace(/\.$/, "")) };
  throw new FormatError(`"${host}" in "${text}" is not a host`, hosts);
}
