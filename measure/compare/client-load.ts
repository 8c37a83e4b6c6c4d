import type { ComparedMode } from "../../report/results/compare.ts";
import { type Load, openLoad, type Round, type RoundResult } from "../load/load.ts";
import { SourcePorts } from "../load/ports.ts";
import { destinationOf } from "./arrival.ts";
import type { Target } from "./target.ts";

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
  readonly load: Load;
  readonly ports = new SourcePorts();
  readonly #parts: ClientLoadParts;
  readonly #concurrency: number;

  /** @param concurrency connections open at a time */
  constructor(parts: ClientLoadParts, processor: number, concurrency: number) {
    const { enter, target, loadProgram } = parts;
    this.#parts = parts;
    this.#concurrency = concurrency;
    this.load = openLoad({ enter: enter(target.client.name), program: loadProgram, processor, concurrency });
  }

  /** New connections, each for one request. */
  connect(mode: ComparedMode, connections: number, countBpf = false): Promise<RoundResult> {
    return this.#round(mode, { connections, countBpf });
  }

  /** Requests that follow each other on kept connections, of which as many are open as the concurrency says. */
  ask(mode: ComparedMode, requests: number): Promise<RoundResult> {
    return this.#round(mode, { connections: this.#concurrency, requests });
  }

  destination(mode: ComparedMode): Pick<Round, "host" | "port" | "source"> {
    return destinationOf(mode, this.#parts.target, this.#parts.entry);
  }

  #round(mode: ComparedMode, what: Pick<Round, "connections" | "requests" | "countBpf">) {
    const firstPort = this.ports.take(what.connections);
    return this.load.round({ ...this.destination(mode), firstPort, path: "/", ...what });
  }
}
