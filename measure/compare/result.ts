// What a comparison found, as the published form: figures and ratios of each mode, and what was expected of it.
import type { ComparedMode, ComparedModeResult, Comparison } from "../../report/results/compare.ts";
import type { Environment } from "../../report/results/environment.ts";
import type { Topology } from "../../report/results/topology.ts";
import { merged } from "../../verify/follow/follow.ts";
import { tolerableShare } from "../statistics/disturbance.ts";
import { conclusionOf, expectedRows } from "./conclusion.ts";
import type { CompareOptions } from "./options.ts";
import type { CountedRound, TimedRound } from "./rounds.ts";
import { figuresOf, ofRequests, ratiosOf, requestFigures, undisturbed } from "./summary.ts";
import type { Target } from "./target.ts";
import type { Sighting } from "./witness.ts";

/** What was seen, and what was seen over IPv6 where there is a way over IPv6. */
export interface BothFamilies extends Sighting {
  overIpv6?: Sighting;
}

/** Everything that was measured and seen, filled in by the steps of a comparison. */
export interface Measured {
  /** With the policies in force. */
  readonly withPolicy: Map<ComparedMode, BothFamilies>;
  /** With a policy that admits every client. */
  readonly open: Map<ComparedMode, BothFamilies>;
  readonly followed: Topology[];
  /** New connections. */
  readonly timed: TimedRound[];
  /** Requests on connections that are kept. */
  readonly kept: TimedRound[];
  readonly counted: CountedRound[];
  /** Why a mode could not be measured. */
  readonly problems: Map<ComparedMode, string>;
}

interface Place {
  target: Target;
  /** The entry node's address, as clients know it. */
  entry: string;
  environment: Environment;
}

export function resultOf(
  options: CompareOptions,
  { target, entry, environment }: Place,
  measured: Measured,
): Comparison {
  const { modes, connections, rounds, concurrency, seed } = options;
  const { used, limit } = undisturbed(measured.timed);
  const clients = target.clients.map(({ name, address, addressIpv6 }) => ({ name, address, addressIpv6 }));
  const kept = undisturbed(measured.kept).used;
  const results = modes.map((mode) => modeResult(mode, measured, { used, kept }, seed));
  const ratios = [...ratiosOf(used, modes, seed), ...ratiosOf(kept, modes, seed, ofRequests)];
  const admitted = admittedOf(measured);
  const expected = results.flatMap((result) =>
    expectedRows(result, {
      clients,
      admitted,
      entryAddress: entry,
      entryIpv6: target.ipv6?.entry,
    }),
  );
  return {
    environment,
    client: target.client.name,
    target: `${entry}:${target.nodePort}`,
    connectionsPerRound: Math.floor(connections / rounds),
    concurrency,
    ...(limit > tolerableShare && { othersShare: limit }),
    modes: results,
    ...(measured.followed.length > 0 && { topology: merged(measured.followed) }),
    ratios,
    verdict: conclusionOf(results, ratios, expected, limit > tolerableShare ? limit : undefined),
    expected,
  };
}

function modeResult(
  mode: ComparedMode,
  measured: Measured,
  { used, kept }: { used: TimedRound[]; kept: TimedRound[] },
  seed: number,
): ComparedModeResult {
  const of = <T extends { mode: ComparedMode }>(all: T[]): T[] => all.filter((one) => one.mode === mode);
  const closed = measured.withPolicy.get(mode);
  const open = measured.open.get(mode);
  const problem =
    measured.problems.get(mode) ?? (of(used).length === 0 ? "connections failed in every round" : undefined);
  return {
    mode,
    served: closed?.served ?? {},
    servedWithoutPolicy: open?.served ?? {},
    loggedSources: open?.loggedSources ?? [],
    loggedLines: open?.loggedLines ?? [],
    ...(open?.replyPath && { replyPath: open.replyPath }),
    ...(open?.overIpv6 &&
      closed?.overIpv6 && {
        overIpv6: { ...open.overIpv6, served: closed.overIpv6.served, servedWithoutPolicy: open.overIpv6.served },
      }),
    ...figuresOf(of(measured.timed), of(used), of(measured.counted), seed),
    ...(of(kept).length > 0 && { keptRequests: requestFigures(of(measured.kept), of(kept), seed) }),
    ...(problem && { problem }),
  };
}

/** Clients that the policies in force admit: those that the floor served, without a service between client and pod. */
function admittedOf({ withPolicy }: Measured): string[] {
  const floor = withPolicy.get("Direct") ?? withPolicy.get("EbpfDsr") ?? withPolicy.get("EbpfTunnel");
  return Object.entries(floor?.served ?? {}).flatMap(([name, served]) => (served ? name : []));
}
