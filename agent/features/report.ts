import { z } from "zod";

/** Why this node cannot run the dataplane, by what was tried; "" where it can. */
const obstacles = z.object({
  /** The verifier took every program. */
  programs: z.string(),
  /** Programs could be put on an interface. */
  attach: z.string(),
  /** The kinds of interfaces that the dataplane makes exist. */
  devices: z.string(),
  /** The node has a cgroup2 hierarchy. */
  cgroup: z.string(),
  /** The node has a BPF file system, on which programs outlive the agent. */
  bpffs: z.string(),
  /** A connection to the API server was made. */
  apiServer: z.string(),
  /** Nobody else has the tunnel's port. */
  tunnelPort: z.string(),
});
export type Obstacles = z.infer<typeof obstacles>;

/** What one node says of itself before anything is changed. One line of JSON, under 4 kB: a container may leave no more. */
export const nodeReportSchema = z.object({
  kernel: z.string(),
  /** Node's name of the processor: x64, arm64. */
  architecture: z.string(),
  obstacles,
  /** "tcx" or "clsact". */
  attach: z.string(),
  /** Configuration of network plugins other than ours, as `file (types)`. */
  plugins: z.array(z.object({ file: z.string(), types: z.array(z.string()) })),
  kubeProxy: z.object({ runs: z.boolean(), rules: z.boolean() }),
  /** Of the interface with the node's address; 0 where there is none. */
  mtu: z.int(),
  /** First and last port that the node's own connections leave from. */
  localPorts: z.tuple([z.int(), z.int()]),
});
export type NodeReport = z.infer<typeof nodeReportSchema>;
