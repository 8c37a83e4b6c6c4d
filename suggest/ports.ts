import type { NetworkPolicyPort } from "../model/objects/networking.ts";

type Port = Pick<NetworkPolicyPort, "port" | "endPort"> & { protocol: "TCP" | "UDP" | "SCTP" };

/** Protocols that a NetworkPolicy can name. */
export function isNamed(protocol: string): protocol is Port["protocol"] {
  return protocol === "TCP" || protocol === "UDP" || protocol === "SCTP";
}

/** Ports of rules, as few entries: ports that follow one another become a range. @param ports "TCP 80" */
export function portsOf(ports: ReadonlySet<string>): Port[] {
  const byProtocol = Map.groupBy([...ports].map(parsed), ({ protocol }) => protocol);
  return [...byProtocol]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([protocol, all]) =>
      ranges(all.map(({ port }) => port)).map(([first, last]) => ({
        protocol,
        port: first,
        ...(last > first && { endPort: last }),
      })),
    );
}

export function portText(protocol: string, port: number): string {
  return `${protocol} ${port}`;
}

function parsed(text: string): { protocol: Port["protocol"]; port: number } {
  const [protocol, port] = text.split(" ") as [Port["protocol"], string];
  return { protocol, port: Number(port) };
}

function ranges(ports: readonly number[]): [number, number][] {
  const found: [number, number][] = [];
  for (const port of [...ports].sort((a, b) => a - b)) {
    const last = found.at(-1);
    if (last && port === last[1] + 1) last[1] = port;
    else found.push([port, port]);
  }
  return found;
}
