import { z } from "zod";

// The flow log's form: one JSON object per line. Agents write it; `make flows` collects it; `preview` and `suggest` read it.

const port = z.int().min(0).max(65535);
const octet = z.int().min(0).max(255);
const labels = z.record(z.string(), z.string());

const pods = z
  .strictObject({
    kind: z.literal("pods"),
    namespace: z.string(),
    workload: z
      .string()
      .describe('What the pods belong to, "web" for pods of the Deployment web; a bare pod\'s own name.'),
    labels: labels
      .optional()
      .describe("Of the pods, without those that differ between copies of one template. Absent: too many to record."),
    namespaceLabels: labels.optional().describe("Absent: too many to record, or none."),
    serviceAccount: z.string().optional(),
    serviceAccountLabels: labels.optional().describe("Absent: too many to record, or none."),
    ports: z
      .array(z.strictObject({ name: z.string(), protocol: z.string(), port }))
      .optional()
      .describe("Named container ports."),
  })
  .describe("The pods of one workload.");

const end = z.discriminatedUnion("kind", [
  pods,
  z
    .strictObject({ kind: z.literal("node"), name: z.string(), addresses: z.array(z.string()) })
    .describe("A node, or its pods in the host's network."),
  z
    .strictObject({ kind: z.literal("network"), cidr: z.string() })
    .describe("An address outside the cluster; a block if one flow has very many of them."),
  z
    .strictObject({ kind: z.literal("service"), name: z.string() })
    .describe('"shop/web:http": the packets were refused before they had a backend.'),
  z.strictObject({ kind: z.literal("others") }).describe("Anybody: see `others`."),
]);

/** What a flow log says of one flow at one node in one interval. */
const flowRecord = z
  .strictObject({
    type: z.literal("flow"),
    node: z.string().describe("The node that reports it."),
    at: z
      .enum(["source", "destination", "both", "transit"])
      .describe("Which ends are on that node. A flow between two nodes is reported by each; transit: neither end."),
    from: end,
    to: end,
    protocol: z.string().describe('"TCP", "UDP", "SCTP", "ICMP", or a number.'),
    port: port.describe("Destination port, after translation; 0 for protocols without ports, and for others."),
    icmp: z
      .strictObject({ type: octet, code: octet })
      .optional()
      .describe("Of an ICMP or ICMPv6 flow: its query's. Absent for refused ones, and in logs of earlier versions."),
    service: z.string().optional().describe('What the client used, before translation: "shop/web:http".'),
    verdict: z.enum(["allowed", "denied", "refused"]).describe("denied: by a policy. refused: for another reason."),
    reason: z.string().optional().describe("Not for allowed flows: the outcome's name, as in metrics."),
    policy: z
      .string()
      .optional()
      .describe("Of a denied flow: the tier, policy and rule, or the policies, that denied it."),
    staged: z
      .strictObject({ verdict: z.enum(["allowed", "denied", "depends"]), reason: z.string().optional() })
      .optional()
      .describe(
        "What would be decided if the staged policies were enforced, where that differs from the policies now.",
      ),
    sentOn: z
      .literal(true)
      .optional()
      .describe(
        "The node only sent the connections on to a backend, whose node reports them too. There is such a line where staged policies of this node would decide otherwise.",
      ),
    connections: z.int().min(0).describe("Connections that opened in the interval."),
    packetsRefused: z
      .int()
      .min(0)
      .describe("Packets that were denied or refused. A client that tries again sends several."),
    active: z
      .int()
      .min(0)
      .describe("Connections in the connection table with packets in the interval, also those that opened earlier."),
    packets: z.int().min(0).describe("Packets of these active connections since they opened, in both directions."),
    first: z.iso.datetime().describe("First and last time that it was seen in the interval."),
    last: z.iso.datetime(),
    others: z
      .boolean()
      .optional()
      .describe("The sender had more flows than its share of the table: this line adds up the rest of them."),
  })
  .describe("A flow.");

/** What a flow log says of one interval as a whole. */
const intervalRecord = z
  .strictObject({
    type: z.literal("interval"),
    node: z.string(),
    from: z.iso.datetime(),
    until: z.iso.datetime(),
    flows: z.int().min(0).describe("Lines of this interval."),
    lostConnections: z
      .int()
      .min(0)
      .describe("Openings that were not reported because there were too many at once: counted, but not named."),
    lostRefusals: z.int().min(0).describe("The same for refused packets."),
    summarised: z.int().min(0).describe("Connections and refused packets that only a line with `others` counts."),
    pools: z.array(z.string()).describe("CIDRs that pods' addresses come from."),
    unwritten: z
      .int()
      .min(0)
      .describe("Lines of earlier intervals that could not be written, for example to a full disk."),
    host: z
      .strictObject({
        addresses: z.array(z.string()),
        labels: labels.describe("Of the Node."),
        uplinks: z.array(z.strictObject({ name: z.string(), addresses: z.array(z.string()) })),
        apiServer: z.strictObject({ address: z.string(), port }).optional().describe("Fail-safe for this node."),
      })
      .optional()
      .describe("The node as its host endpoints see it. Absent: too long to record, or a log of an earlier version."),
  })
  .describe("The end of an interval.");

export const flowLogLine = z.discriminatedUnion("type", [flowRecord, intervalRecord]);

export type FlowEnd = z.infer<typeof end>;
export type FlowRecord = z.infer<typeof flowRecord>;
export type IntervalRecord = z.infer<typeof intervalRecord>;
export type FlowLogLine = z.infer<typeof flowLogLine>;

/** "shop/web", "node master", "172.31.1.55", "others". */
export function endText(one: FlowEnd): string {
  switch (one.kind) {
    case "pods":
      return `${one.namespace}/${one.workload}`;
    case "node":
      return `node ${one.name}`;
    case "network":
      return one.cidr.replace(/^([\d.]+)\/32$|^([\da-f:]+)\/128$/, "$1$2");
    case "service":
      return `service ${one.name}`;
    case "others":
      return "others";
  }
}

/** "db/pg:5432", "db/pg:53/udp", "db/pg (icmp type 8 code 0)". */
export function targetText({
  to,
  port,
  protocol,
  icmp,
  others,
}: Pick<FlowRecord, "to" | "port" | "protocol" | "icmp" | "others">): string {
  if (others) return endText(to);
  const message = icmp ? ` type ${icmp.type} code ${icmp.code}` : "";
  if (port === 0) return `${endText(to)} (${protocol === "58" ? "icmpv6" : protocol.toLowerCase()}${message})`;
  const name = to.kind === "network" && to.cidr.includes(":") ? `[${endText(to)}]` : endText(to);
  return `${name}:${port}${protocol === "TCP" ? "" : `/${protocol.toLowerCase()}`}`;
}
