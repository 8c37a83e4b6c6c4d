import { reportCommands } from "./commands.ts";
import { type Measurement, measurements, type Report } from "./document.ts";
import type { ReportInputs } from "./inputs.ts";
import { loggedOf } from "./logged.ts";
import { modeName } from "./modes.ts";
import { packetPathsOf } from "./paths.ts";

const absent: Record<Measurement, string> = {
  verification: "Whether servers see their clients, and which clients the policies admit",
  compare: "The dataplane beside kube-proxy: served clients, latency, CPU per connection",
  throughput: "Throughput between pods and CPU per gigabit",
  scale: "Latency and programming time against the number of services",
};

/** Missing results, each with its reason and the next step. */
export function notMeasured(inputs: ReportInputs): Report["notMeasured"] {
  const commands = reportCommands(inputs.isCheckout);
  return [
    ...measurements
      .filter((of) => !inputs[of])
      .map((of) => ({ what: absent[of], why: inputs.unreadable?.[of] ?? "It was not run.", next: commands[of] })),
    ...withoutPath(inputs, commands.verification),
    ...(inputs.verification?.problems ?? []).map(({ what, next }) => ({
      what: "Part of the verification",
      why: what,
      ...(next && { next }),
    })),
    ...(inputs.verification?.skipped ?? []).map(({ step, what, why }) => ({ what: `${step}: ${what}`, why })),
    ...modesWithoutFigures(inputs, commands.compare),
    ...pointsWithoutFigures(inputs, commands.scale),
  ];
}

/** Where something was verified or compared, and no connection was captured or no server's log was read meanwhile. */
function withoutPath({ verification, compare }: ReportInputs, next: string): Report["notMeasured"] {
  if (!verification && !compare) return [];
  const ways = packetPathsOf(verification, compare);
  const logged = loggedOf(verification, compare);
  return [
    ...(ways.length > 0
      ? []
      : [{ what: "The path of a connection", why: "No connection of a client was followed.", next }]),
    ...(logged.length > 0 ? [] : [{ what: "Which source the server logged", why: "No server's log was read.", next }]),
  ];
}

function modesWithoutFigures({ compare }: ReportInputs, next: string): Report["notMeasured"] {
  return (compare?.modes ?? []).flatMap(({ mode, problem, bpfNsPerConnection, instructionsPerConnection }) => [
    ...(problem ? [{ what: `${modeName(mode)} in the comparison`, why: problem, next }] : []),
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

function pointsWithoutFigures({ scale }: ReportInputs, next: string): Report["notMeasured"] {
  return (scale?.unanswered ?? []).map(({ mode, services, endpoints, seconds }) => ({
    what: `${modeName(mode)} with ${services} services of ${endpoints} endpoints`,
    why: `They did not answer within ${seconds} s.`,
    next,
  }));
}
