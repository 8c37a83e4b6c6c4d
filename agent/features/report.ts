import { z } from "zod";

/** Why this node cannot run the dataplane, for each test; "" if the test succeeded. */
const obstacles = z.object({
  /** The verifier accepted every program. */
  programs: z.string(),
  /** Programs could be attached to an interface. */
  attach: z.string(),
  /** The kernel supports the dataplane's kinds of interfaces. */
  devices: z.string(),
  /** The node has a cgroup2 hierarchy. */
  cgroup: z.string(),
  /** The node has a BPF file system, on which programs outlive the agent. */
  bpffs: z.string(),
  /** The API server accepted a connection. */
  apiServer: z.string(),
  /** No other device has the tunnel's port. */
  tunnelPort: z.string(),
});
export type Obstacles = z.infer<typeof obstacles>;

/** The report of one node, before anything is changed. One line of JSON, under 4 kB, the limit of a container's termination message. */
export const nodeReportSchema = z.object({
  kernel: z.string(),
  /** Node's name of the processor: x64, arm64. */
  architecture: z.string(),
  obstacles,
  /** Why the kernel encrypts nothing by WireGuard, "": it does; absent: an older image has not tried. */
  wireguard: z.string().optional(),
  /** "tcx" or "clsact". */
  attach: z.string(),
  /** Configurations of other network plugins, as `file (types)`. */
  plugins: z.array(z.object({ file: z.string(), types: z.array(z.string()) })),
  kubeProxy: z.object({ runs: z.boolean(), rules: z.boolean() }),
  /** Of the interface with the node's address; 0 if there is none. */
  mtu: z.int(),
  /** First and last source port of the node's own connections. */
  localPorts: z.tuple([z.int(), z.int()]),
});
export type NodeReport = z.infer<typeof nodeReportSchema>;
