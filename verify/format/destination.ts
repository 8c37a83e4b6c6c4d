import { isIP } from "node:net";
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

const hosts =
  "an address (IPv6 in brackets), node/NAME, pod/NAMESPACE/NAME, pod/NAMESPACE/LABEL=VALUE, service/NAMESPACE/NAME or a DNS name";

/**
 * Reads `tcp://HOST:PORT` or `udp://HOST:PORT`. By hand: hosts hold slashes (`service/default/nginx`), which every URL
 * parser would take for a path.
 */
export function parseDestination(text: string): Destination {
  const scheme = text.match(/^([a-z]+):\/\//)?.[1];
  if (scheme !== "tcp" && scheme !== "udp") {
    throw new FormatError(`"${text}" does not start with a protocol; allowed: tcp://HOST:PORT or udp://HOST:PORT`);
  }
  const rest = text.slice(scheme.length + 3);
  const colon = rest.lastIndexOf(":");
  const port = rest.slice(colon + 1);
  if (colon < 1 || !/^\d+$/.test(port) || Number(port) < 1 || Number(port) > 65535) {
    throw new FormatError(
      `"${text}" does not end with a port; allowed: ${scheme}://HOST:PORT with a port from 1 to 65535`,
    );
  }
  return { protocol: scheme, host: parseHost(text, rest.slice(0, colon)), port: Number(port) };
}

function parseHost(text: string, host: string): Host {
  const bracketed = host.match(/^\[(.*)\]$/)?.[1];
  if (bracketed !== undefined) {
    if (isIP(bracketed) === 6) return { kind: "address", address: bracketed };
    throw new FormatError(`"${bracketed}" in "${text}" is not an IPv6 address`);
  }
  if (isIP(host) === 6) throw new FormatError(`"${text}": an IPv6 address goes in brackets, like tcp://[${host}]:80`);
  if (isIP(host) === 4) return { kind: "address", address: host };
  // A name cannot be all digits and dots: such a text is an address that is wrong.
  if (/^[\d.]+$/.test(host)) throw new FormatError(`"${host}" in "${text}" is not an IPv4 address`);

  const [kind, ...parts] = host.split("/");
  if (kind === "node" && parts.length === 1) return { kind, name: requireName(text, parts[0] ?? "") };
  if (kind === "pod" && parts.length > 0) return { kind, ...parsePod(text, parts.join("/")) };
  if (kind === "service" && parts.length === 2) {
    const [namespace = "", name = ""] = parts;
    return { kind, namespace: requireName(text, namespace), name: requireName(text, name) };
  }
  if (parts.length === 0) return { kind: "name", name: requireName(text, host.replace(/\.$/, "")) };
  throw new FormatError(`"${host}" in "${text}" is not a host; allowed: ${hosts}`);
}
