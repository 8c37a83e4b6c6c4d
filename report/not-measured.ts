import { type Measurement, measurements, type Report } from "./document.ts";
import type { ReportInputs } from "./inputs.ts";
import { loggedOf } from "./logged.ts";
import { modeName } from "./modes.ts";
import { packetPathsOf } from "./paths.ts";

const absent: Record<Measurement, { what: string; next: string }> = {
  verification: { what: "Whether servers see their clients, and which clients the policies admit", next: "make up" },
  compare: {
    what: "The dataplane beside kube-proxy: served clients, latency, CPU per connection",
    next: "make compare",
  },
  throughput: { what: "Throughput between pods and CPU per gigabit", next: "make bench-throughput" },
  scale: { what: "Latency and programming time against the number of services", next: "make bench-services" },
};

/** Missing results, each with its reason and the next step. */
export function notMeasured(inputs: ReportInputs): Report["notMeasured"] {
  return [
    ...measurements
      .filter((of) => !inputs[of])
      .map((of) => ({ ...absent[of], why: inputs.unreadable?.[of] ?? "It was not run." })),
    ...withoutPath(inputs),
    ...(inputs.verification?.problems ?? []).map(({ what, next }) => ({
      what: "Part of the verification",
      why: what,
      ...(next && { next }),
    })),
    ...modesWithoutFigures(inputs),
    ...pointsWithoutFigures(inputs),
  ];
}

/** Where something was verified or compared, and no connection was captured or no server's log was read meanwhile. */
function withoutPath({ verification, compare }: ReportInputs): Report["notMeasured"] {
  if (!verification && !compare) return [];
  const ways = packetPathsOf(verification, compare);
  const logged = loggedOf(verification, compare);
  const next = "make up";
  return [
    ...(ways.length > 0
      ? []
      : [{ what: "The path of a connection", why: "No connection of a client was followed.", next }]),
    ...(logged.length > 0 ? [] : [{ what: "Which source the server logged", why: "No server's log was read.", next }]),
  ];
}

function modesWithoutFigures({ compare }: ReportInputs): Report["notMeasured"] {
  return (compare?.modes ?? []).flatMap(({ mode, problem, bpfNsPerConnection, instructionsPerConnection }) => [
    ...(problem ? [{ what: `${modeName(mode)} in the comparison`, why: problem, next: "make compare" }] : []),
    ...(mode.startsWith("Ebpf") && !problem && Object.keys(bpfNsPerConnection).length === 0
      ? [
          {
            what: `Run time of BPF programs, ${modeName(mode)}`,
            why: "The kernel did not count it (kernel.bpf_stats_enabled).",
          },
        ]
      : []),
    ...(mode === "EbpfDsr" && !problem && instructionsPerConnection === undefined
      ? [{ what: "Instructions per connection", why: "This processor does not count them for us." }]
      : []),
  ]);
}

function pointsWithoutFigures({ scale }: ReportInputs): Report["notMeasured"] {
  return (scale?.points ?? []).flatMap(({ mode, services, problem }) =>
    problem ? [{ what: `${modeName(mode)} with ${services} services`, why: problem, next: "make bench-services" }] : [],
  );
}
