// The commands of `ebpf-dataplane`, and the program beside this one that has each. Their options are the programs' own.

export interface Handed {
  readonly name: string;
  /** One line of the help. */
  readonly description: string;
  readonly group: string;
  /** File beside this program, without its ending. */
  readonly program: "verify" | "cluster" | "runner";
  /** Words that come before the user's own. */
  readonly first?: readonly string[];
}

const LOOK = "How the dataplane is:";
const FLOWS = "Who talks to whom:";
const PROVE = "Before and after a deployment:";

export const COMMANDS: readonly Handed[] = [
  { name: "status", group: LOOK, program: "verify", description: "say whether each node is ready and up to date" },
  { name: "inspect", group: LOOK, program: "verify", description: "show what is in the maps of all nodes, with names" },
  { name: "bundle", group: LOOK, program: "verify", description: "write an archive for support, without secrets" },
  { name: "watch", group: FLOWS, program: "verify", description: "show connections and refused packets, live" },
  {
    name: "trace",
    group: FLOWS,
    program: "verify",
    description: "send one connection, and show each step on each node",
  },
  { name: "explain", group: FLOWS, program: "verify", description: "say which policies decide about a flow" },
  { name: "flows", group: FLOWS, program: "verify", description: "collect the flow logs of all nodes" },
  { name: "suggest", group: FLOWS, program: "verify", description: "propose policies that allow logged flows only" },
  {
    ...{ name: "preflight", group: PROVE, program: "cluster" },
    description: "report what blocks the dataplane on a cluster",
    first: ["--no-document"],
  },
  { name: "preview", group: PROVE, program: "runner", description: "show what a Pulumi stack would change" },
  { name: "check", group: PROVE, program: "verify", description: "test expectations with real connections" },
  { name: "report", group: PROVE, program: "verify", description: "write the results as one HTML page" },
  {
    ...{ name: "compare", group: PROVE, program: "verify" },
    description: "measure against kube-proxy; only on a local lab, as root",
  },
];
