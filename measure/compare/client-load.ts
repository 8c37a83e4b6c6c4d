import type { ComparedMode } from "../../report/results/compare.ts";
import { type Load, openLoad, type Round, type RoundResult } from "../load/load.ts";
import { SourcePorts } from "../load/ports.ts";
import type { Target } from "./target.ts";

/** Destination of a mode's connections. */
function destinationOf(mode: ComparedMode, target: Target, entry: string): Pick<Round, "host" | "port" | "source"> {
  const source = target.client.address;
  return mode === "Direct"
    ? { host: target.podAddress, port: target.podPort, source }
    : { host: entry, port: target.nodePort, source };
}

/** The same over IPv6, as what a check takes: tcp://[fd00::8]:30604. Absent where there is no such way. */
export function destinationIpv6(mode: ComparedMode, { ipv6, podPort, nodePort }: Target): string | undefined {
  if (!ipv6) return undefined;
  return mode === "Direct" ? `tcp://[${ipv6.podAddress}]:${podPort}` : `tcp://[${ipv6.entry}]:${nodePort}`;
}

export interface ClientLoadParts {
  target: Target;
  /** The entry node's address, as clients know it. */
  entry: string;
  /** The command that runs another one on a machine. */
  enter: (machine: string) => string[];
  /** Path of the load generator. */
  loadProgram: string;
}

/** What the client asks of the service in each mode. It uses each source port once. */
export class ClientLoad {
  readonly #load: Load;
  readonly #ports = new SourcePorts();
  readonly #parts: ClientLoadParts;
  readonly #concurrency: number;

  /** @param concurrency connections open at a time */
  constructor(parts: ClientLoadParts, processor: number, concurrency: number) {
    const { enter, target, loadProgram } = parts;
    this.#parts = parts;
    this.#concurrency = concurrency;
    this.#load = openLoad({ enter: enter(target.client.name), program: loadProgram, processor, concurrency });
  }

  /** New connections, each for one request. */
  connect(
    mode: ComparedMode,
    connections: number,
    more: Partial<Pick<Round, "path" | "countBpf">> = {},
  ): Promise<RoundResult> {
    return this.#round(mode, { connections, ...more });
  }

  /** Requests that follow each other on kept connections, of which as many are open as the concurrency says. */
  ask(mode: ComparedMode, requests: number): Promise<RoundResult> {
    return this.#round(mode, { connections: this.#concurrency, requests });
  }

  destination(mode: ComparedMode): Pick<Round, "host" | "port" | "source"> {
    return destinationOf(mode, this.#parts.target, this.#parts.entry);
  }

  close(): Promise<void> {
    return this.#load.close();
  }

  #round(mode: ComparedMode, what: Omit<Partial<Round>, "connections"> & Pick<Round, "connections">) {
    const firstPort = this.#ports.take(what.connections);
    return this.#load.round({ ...this.destination(mode), firstPort, path: "/", ...what });
  }
}
