import { z } from "zod";

// What an agent says of its node (`inspect status`, `make status`).

const count = z.int().min(0);

/** A kernel table that can be full. */
const tableSchema = z.strictObject({ name: z.string(), entries: count, capacity: count });

/** Of addresses of an IP pool, in the whole cluster. */
const poolSchema = z.strictObject({
  pool: z.string(),
  cidr: z.string(),
  all: z.number().min(0),
  claimed: count,
  used: count,
});

const encryptionSchema = z.strictObject({
  /** Nodes with a key; null: no handshake with it yet, or none since its key or this node's is another one. */
  peers: z.array(
    z.strictObject({
      node: z.string(),
      handshakeSecondsAgo: z.number().min(0).nullable(),
      /** Whether anything was sent to it, first of all a request for a handshake; absent in the status of older agents. */
      asked: z.boolean().default(false),
    }),
  ),
  /** Nodes without a key: no wrapped packet is sent to them or accepted from them. */
  without: z.array(z.string()),
});
export type EncryptionStatus = z.output<typeof encryptionSchema>;

/** It was asked for a handshake, and has never answered. */
export const isSilent = ({ handshakeSecondsAgo, asked }: EncryptionStatus["peers"][number]): boolean =>
  handshakeSecondsAgo === null && asked;

/** Uplinks while XDP is asked for, and why one stays at tc; null: its driver runs the program. */
const xdpSchema = z.array(z.strictObject({ uplink: z.string(), reason: z.string().nullable() }));
export type XdpStatus = z.output<typeof xdpSchema>;

export const nodeStatusSchema = z.strictObject({
  node: z.string(),
  /** Of the node: uname -r. */
  kernel: z.string(),
  /** When this agent's process started, ISO 8601. */
  startedAt: z.string(),
  /** How programs are attached to interfaces. */
  attach: z.enum(["tcx", "clsact"]),
  serviceHandling: z.string(),
  returnMode: z.string(),
  /** Which addresses of pools the node gives its pods; absent in the status of older agents, which gave any. */
  ipam: z.enum(["Pools", "HostLocal"]).default("Pools"),
  /** What the agent waits for, or what has failed for 30 s. Empty: it is ready. */
  notReady: z.array(z.string()),
  /** Seconds since the kernel last had everything that was known of the cluster; null: it never had. */
  syncedSecondsAgo: z.number().min(0).nullable(),
  /** Seconds for which the oldest change has waited to be written to the kernel; 0: none waits. */
  waitingSeconds: z.number().min(0),
  /** Kinds of objects whose watch fails. */
  failingWatches: z.array(z.string()),
  /** Pods of this node. */
  endpoints: count,
  /** Bytes of a packet that a pod may send. */
  podMtu: count,
  /** Of packets between nodes; null: they are not encrypted. */
  encryption: encryptionSchema.nullable().default(null),
  /** Null: it is not asked for. */
  xdp: xdpSchema.nullable().default(null),
  /** Policies and Services that exceed a limit, and so allow or serve nothing. */
  closed: z.strictObject({ policies: count, services: count }),
  /** Packets that were rejected or dropped, by outcome, since `countedSince`. */
  refused: z.record(z.string(), count),
  /** ISO 8601. The next agent continues the count. */
  countedSince: z.string(),
  tables: z.array(tableSchema),
  pools: z.array(poolSchema),
});
export type NodeStatus = z.output<typeof nodeStatusSchema>;
