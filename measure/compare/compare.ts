import { cpus } from "node:os";
import { processesOfPod } from "../../probe/namespaces.ts";
import type { ComparedMode, Comparison } from "../../report/results/compare.ts";
import type { Environment } from "../../report/results/environment.ts";
import { Ledger } from "../../verify/engine/ledger.ts";
import { Stopped } from "../../verify/engine/run-check.ts";
import type { World } from "../../verify/engine/world.ts";
import { type Followed, follow } from "../../verify/follow/follow.ts";
import { MachineMeter } from "../counters/machine-counters.ts";
import type { RoundResult } from "../load/load.ts";
import { keepOn } from "../load/server-processes.ts";
import { balancedOrder } from "../statistics/order.ts";
import { type Arrival, untilModeShows } from "./arrival.ts";
import { ClientLoad, type ClientLoadParts, destinationIpv6 } from "./client-load.ts";
import { modeFacts, modeNames } from "./modes.ts";
import type { CompareOptions } from "./options.ts";
import type { Progress } from "./progress.ts";
import { type BothFamilies, type Measured, resultOf } from "./result.ts";
import { countRound, type TimedRound, timeRound } from "./rounds.ts";
import { ModeSwitch } from "./switch.ts";
import { openPolicy } from "./target.ts";
import { type Sighting, witness, witnessUntil } from "./witness.ts";

/** Dependencies of a comparison. */
export interface Comparing extends ClientLoadParts {
  world: World;
  environment: () => Environment;
  progress: Progress;
}

/** Timeout for a mode to be in force after a switch, milliseconds. */
const switchPatienceMs = 180_000;
/** How often a round in which connections failed is measured again. Those that failed are in the result. */
const roundRetries = 3;
/** Connections after every switch that are not counted: caches and connection tracking of the new path. */
const warmUp = 20;
/** Requests on one connection. Servers end a connection after some: nginx after 1000. */
const mostKeptRequests = 500;

/** Number of steps of a comparison, for progress. */
export const stepsOf = ({ modes, rounds, countingRounds }: CompareOptions): number =>
  modes.length * (1 + rounds + countingRounds);

/**
 * Switches the running cluster between modes and measures each, round by round; always restores the declared state.
 * Failed measurements are reported in the result, not thrown.
 */
export async function compare(options: CompareOptions, comparing: Comparing): Promise<Comparison> {
  const run = new ComparisonRun(options, comparing);
  try {
    await run.witnessModes();
    await run.openToAll();
    await run.timeModes();
    await run.countModes();
  } catch (error) {
    if (!(error instanceof Stopped)) run.fail(error as Error);
    else run.fail(new Error("stopped before the measurement was complete"));
  } finally {
    await run.restore();
  }
  return run.result();
}

class ComparisonRun {
  readonly #options: CompareOptions;
  readonly #comparing: Comparing;
  readonly #ledger: Ledger;
  readonly #switch: ModeSwitch;
  readonly #client: ClientLoad;
  readonly #meters: MachineMeter[];
  readonly #release: () => void;
  readonly #measured: Measured = {
    withPolicy: new Map(),
    open: new Map(),
    followed: [],
    timed: [],
    kept: [],
    counted: [],
    problems: new Map(),
  };

  constructor(options: CompareOptions, comparing: Comparing) {
    const { world, target, enter } = comparing;
    this.#options = options;
    this.#comparing = comparing;
    this.#ledger = new Ledger(world);
    this.#switch = new ModeSwitch(
      world,
      this.#ledger,
      target,
      target.clients.map(({ name }) => enter(name)),
    );
    const processor = cpus().length - 1;
    this.#client = new ClientLoad(comparing, processor, options.concurrency);
    this.#meters = [...target.nodes, target.client].map((machine) => new MachineMeter(machine));
    this.#release = options.spread ? () => {} : keepOn(processor, processesOfPod(target.pod.metadata?.uid ?? ""));
  }

  /** Served clients and logged sources in each mode, with and without the policies in force, and the path of one connection. */
  async witnessModes(): Promise<void> {
    const { world, target } = this.#comparing;
    const clients = target.clients.map(({ name }) => name);
    for (const mode of this.#options.modes)
      await this.#attempt(mode, "who is served", async () => {
        const { host, port } = this.#client.destination(mode);
        const to = `tcp://${host}:${port}`;
        const toIpv6 = destinationIpv6(mode, target);
        const through = mode !== "Direct";
        const look = async (): Promise<BothFamilies> => {
          const [seen, overIpv6] = await Promise.all([
            witness(world, clients, to, through),
            toIpv6 && witness(world, clients, toIpv6, through),
          ]);
          return overIpv6 ? { ...seen, overIpv6 } : seen;
        };
        const inBoth = (holds: (seen: Sighting) => boolean) => (seen: BothFamilies) =>
          holds(seen) && (seen.overIpv6 === undefined || holds(seen.overIpv6));
        const { source, reply } = modeFacts[mode];
        const isNobody = ({ served }: Sighting) => Object.values(served).every((one) => !one);
        await this.#switch.to(mode);
        await this.#ledger.delete(openPolicy(target));
        const closed = await witnessUntil(
          look,
          inBoth((seen) => isNobody(seen) === (source === "entryNode")),
          world,
          switchPatienceMs,
        );
        this.#measured.withPolicy.set(mode, closed);
        await this.openToAll();
        const shows = ({ served, loggedSources, replyPath }: Sighting) =>
          Object.values(served).every(Boolean) &&
          loggedSources.length === (source === "client" ? clients.length : 1) &&
          (mode === "Direct" || replyPath === reply);
        this.#measured.open.set(mode, await witnessUntil(look, inBoth(shows), world, switchPatienceMs));
        await this.#follow({ mode, client: target.client.name, to });
      });
  }

  /** A missing drawing does not stop the measurement. */
  async #follow(followed: Followed): Promise<void> {
    const { world, progress } = this.#comparing;
    try {
      this.#measured.followed.push(await follow(world, followed));
    } catch (error) {
      progress.note(`${modeNames[followed.mode]}, the path of a connection is not known: ${(error as Error).message}`);
    }
  }

  async openToAll(): Promise<void> {
    await this.#ledger.apply(openPolicy(this.#comparing.target) as Parameters<Ledger["apply"]>[0]);
  }

  async timeModes(): Promise<void> {
    const { modes, rounds, connections, seed } = this.#options;
    for (const [number, row] of balancedOrder(modes, rounds, seed).entries())
      for (const mode of row)
        await this.#attempt(mode, `round ${number + 1} of ${rounds}`, async () => {
          await this.#enterMode(mode);
          const each = Math.floor(connections / rounds);
          await this.#time(mode, number, this.#measured.timed, () => this.#client.connect(mode, each));
          await this.#time(mode, number, this.#measured.kept, () =>
            this.#client.ask(mode, Math.min(each, mostKeptRequests)),
          );
        });
  }

  async #time(mode: ComparedMode, number: number, into: TimedRound[], run: () => Promise<RoundResult>): Promise<void> {
    for (let attempt = 0; attempt <= roundRetries; attempt++) {
      const round = await timeRound(mode, number, this.#meters, run);
      into.push(round);
      if (round.failedConnections === 0) break;
    }
  }

  /** The kernel's counting costs time, so these rounds are not timed. */
  async countModes(): Promise<void> {
    const { modes, countingRounds, connections, rounds, seed } = this.#options;
    const { target, enter } = this.#comparing;
    const nodes = new Map(target.nodes.map(({ name }) => [name, enter(name)]));
    for (const row of balancedOrder(modes, countingRounds, seed))
      for (const mode of row)
        await this.#attempt(mode, "packets and BPF run time", async () => {
          await this.#enterMode(mode);
          const run = () =>
            this.#client.connect(mode, Math.min(200, Math.floor(connections / rounds)), { countBpf: true });
          this.#measured.counted.push(await countRound(mode, this.#meters, nodes, run));
        });
  }

  fail(error: Error): void {
    for (const mode of this.#options.modes)
      if (!this.#measured.problems.has(mode)) this.#measured.problems.set(mode, error.message);
  }

  async restore(): Promise<void> {
    const { progress } = this.#comparing;
    progress.note("restoring the declared state");
    this.#release();
    await this.#client.close();
    await this.#switch
      .restore()
      .catch((error: Error) => progress.note(`a client's route to the pod could not be removed: ${error.message}`));
    for (const left of await this.#ledger.undo()) progress.note(`could not be restored: ${left}`);
  }

  result(): Comparison {
    const { target, entry, environment } = this.#comparing;
    return resultOf(this.#options, { target, entry, environment: environment() }, this.#measured);
  }

  /** A step of one mode; a failure is recorded for the mode, and the others continue. */
  async #attempt(mode: ComparedMode, what: string, work: () => Promise<void>): Promise<void> {
    const { world, progress } = this.#comparing;
    if (world.stopping.aborted) throw new Stopped("stopped");
    progress.step(`${modeNames[mode]}, ${what}`);
    if (this.#measured.problems.has(mode)) return;
    try {
      await work();
    } catch (error) {
      if (world.stopping.aborted) throw new Stopped("stopped");
      this.#measured.problems.set(mode, (error as Error).message);
      progress.note(`${modeNames[mode]}, ${what}: ${(error as Error).message}`);
    }
  }

  async #enterMode(mode: ComparedMode): Promise<void> {
    const { world, target, entry } = this.#comparing;
    await this.#switch.to(mode);
    const entryMeter = this.#meters.find(({ name }) => name === target.entry.name) as MachineMeter;
    const arrival: Arrival = { world, target, entry, client: this.#client, entryMeter };
    await untilModeShows(mode, arrival, switchPatienceMs);
    await this.#client.connect(mode, warmUp);
  }
}
