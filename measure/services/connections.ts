import { join } from "node:path";
import { packageFolder } from "../../lab/installation.ts";
import { ownProcessSeconds, processorTimeBetween, readProcessorTime, takenShare } from "../counters/processor-time.ts";
import { machineCpuSeconds } from "../cpu-time.ts";
import { openLoad } from "../load/load.ts";
import { SourcePorts } from "../load/ports.ts";
import { balancedOrder } from "../statistics/order.ts";
import { median } from "../statistics/statistics.ts";
import type { BenchPod } from "../testbed/bench-pod.ts";
import type { TestbedMachine } from "../testbed/testbed-machine.ts";
import type { Mode } from "./testbed.ts";

/** One mode in one round. */
export interface ConnectionRound {
  readonly medianUs: number;
  readonly takenShare: number;
  readonly failed: number;
}

/** Built by tools/build.ts from measure/load. */
const loadProgram = join(packageFolder, "dist", "load");

/** The services are programmed: only a busy computer answers late. */
const PATIENCE_MS = 10_000;

/** New connections from one pod, round by round. */
class Connector {
  readonly rounds: ConnectionRound[] = [];
  readonly #client: BenchPod;
  readonly #machines: readonly TestbedMachine[];
  readonly #ports = new SourcePorts();
  readonly #load;

  constructor(client: BenchPod, server: TestbedMachine) {
    this.#client = client;
    this.#machines = [client.machine, server];
    const enter = client.machine.argv([], client.name);
    this.#load = openLoad({ enter, program: loadProgram, concurrency: 1, timeoutMs: PATIENCE_MS });
  }

  async round(hosts: readonly string[], connections: number): Promise<void> {
    const charged = () => machineCpuSeconds(this.#machines) + ownProcessSeconds();
    const before = { all: readProcessorTime(), charged: charged() };
    const times: number[] = [];
    for (const host of hosts) {
      const from = { source: this.#client.address, firstPort: this.#ports.take(connections), connections };
      times.push(...(await this.#load.round({ host, port: 80, path: "/", ...from })).nanoseconds);
    }
    const failed = hosts.length * connections - times.length;
    const spent = processorTimeBetween(before.all, readProcessorTime());
    const taken = takenShare(spent, charged() - before.charged);
    this.rounds.push({ medianUs: times.length > 0 ? median(times) / 1000 : 0, takenShare: taken, failed });
  }

  close(): Promise<void> {
    return this.#load.close();
  }
}

/** Connects from each mode's pod to the same services, modes in balanced order within each round. */
export async function connectInRounds(
  clients: ReadonlyMap<Mode, BenchPod>,
  server: TestbedMachine,
  hosts: readonly string[],
  { rounds, connections }: { rounds: number; connections: number },
): Promise<Map<Mode, readonly ConnectionRound[]>> {
  const connectors = new Map([...clients].map(([mode, client]) => [mode, new Connector(client, server)]));
  try {
    for (const modes of balancedOrder([...clients.keys()], rounds, hosts.length))
      for (const mode of modes) await connectors.get(mode)?.round(hosts, Math.ceil(connections / hosts.length));
    return new Map([...connectors].map(([mode, connector]) => [mode, connector.rounds]));
  } finally {
    for (const connector of connectors.values()) await connector.close();
  }
}
