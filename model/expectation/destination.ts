import { familyOf } from "../address/address.ts";
import { FormatError, type PodSelection, parsePod, requireName } from "./place.ts";

/** What a probe connects to, before anything is looked up. */
export type Host =
  | { kind: "address"; address: string }
  | { kind: "node"; name: string }
  | ({ kind: "pod" } & PodSelection)
  | { kind: "service"; namespace: string; name: string }
  | { kind: "name"; name: string };

export const PROTOCOLS = ["tcp", "udp", "sctp", "icmp"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

export interface Destination {
  protocol: Protocol;
  host: Host;
  /** 0 with ICMP. */
  port: number;
}

/** Ports of TCP and UDP. */
export const PORTS = { least: 1, most: 65_535 };

export const DESTINATION = "tcp://HOST:PORT, udp://HOST:PORT, sctp://HOST:PORT or icmp://HOST";

const hosts =
  "an address (IPv6 in brackets), node/NAME, pod/NAMESPACE/NAME, pod/NAMESPACE/LABEL=VALUE, service/NAMESPACE/NAME or a DNS name";

/**
 * Reads `tcp://HOST:PORT`, the same of UDP and SCTP, or `icmp://HOST`. By hand: hosts hold slashes (`service/default/nginx`), which every URL
 * parser would take for a path.
 */
export function parseDestination(text: string): Destination {
  const written = text.match(/^([a-z]+):\/\//)?.[1];
  const scheme = PROTOCOLS.find((protocol) => protocol === written);
  if (scheme === undefined) throw new FormatError(`"${text}" does not start with a protocol`, DESTINATION);
  const rest = text.slice(scheme.length + 3);
  if (scheme === "icmp") return { protocol: scheme, host: parsePortless(text, rest), port: 0 };
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

/** Also an IPv6 address without brackets. */
function parsePortless(text: string, host: string): Host {
  if (familyOf(host) === "IPv6") return { kind: "address", address: host };
  if (/:\d*$/.test(host) && !host.startsWith("["))
    throw new FormatError(`"${text}" ends with a port, which ICMP does not have`, "icmp://HOST");
  return parseHost(text, host);
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
