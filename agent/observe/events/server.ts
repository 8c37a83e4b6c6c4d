import { createReadStream, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { canonicalAddress, familyOf } from "../../../model/address/address.ts";
import { FormatError } from "../../../model/expectation/place.ts";
import type { PoolUse } from "../../../model/pool/use.ts";
import { ICMP, ICMPV6, SCTP, TCP, UDP } from "../../../model/protocol.ts";
import type { Tracer } from "../../programs/tracer.ts";
import { TraceRunning } from "../../programs/tracer.ts";
import { listenPrivately } from "../../run-folder/private-socket.ts";
import type { Explainer } from "../explain/explainer.ts";
import type { FlowLog } from "../flows/flow-log.ts";
import type { LogFiles } from "../flows/log-files.ts";
import type { StagedVerdicts } from "../flows/staged-verdicts.ts";
import { poolUseLine } from "../inspect/ipam.ts";
import type { NodeStatus } from "../status/node-status.ts";
import type { EventFeed } from "./feed.ts";
import type { FlowContext } from "./flow.ts";
import type { FilterFacts } from "./flow-filter.ts";
import type { FlowHistory } from "./flow-history.ts";
import { readQuery, readSince } from "./flow-query.ts";
import { NoHistory, streamFlows } from "./flow-stream.ts";
import { jsonLines } from "./json-lines.ts";
import { isStep, type StepContext, stepOf } from "./step.ts";

/** The parameters of a trace; addresses in the notation of the maps. */
const traceRequestSchema = z.strictObject({
  client: z.string(),
  clientPort: z.coerce.number().int().min(1).max(65_535),
  frontend: z.string(),
  frontendPort: z.coerce.number().int().min(1).max(65_535),
  protocol: z.enum(["tcp", "udp", "sctp"]),
  seconds: z.coerce.number().min(1).max(60),
});
export type TraceRequest = z.infer<typeof traceRequestSchema>;

const PROTOCOLS = { tcp: TCP, udp: UDP, sctp: SCTP } as const;

/** The parameters of a question to explain a flow. */
const explainRequestSchema = z.strictObject({
  from: z.string().transform(addressOr),
  to: z.string().transform(addressOr),
  protocol: z.enum(["tcp", "udp", "sctp", "icmp"]).default("tcp"),
  /** Of ICMP: type << 8 | code. */
  port: z.coerce.number().int().min(0).max(65_535),
  sourcePort: z.coerce.number().int().min(0).max(65_535).default(50_000),
});

function addressOr(text: string, context: z.RefinementCtx): string {
  const address = canonicalAddress(text);
  if (address) return address;
  context.addIssue({ code: "custom", message: `"${text}" is no address` });
  return z.NEVER;
}

interface KeptFlows {
  readonly staged: Pick<StagedVerdicts, "of" | "explain">;
  readonly endpoints: FilterFacts["endpoints"];
  readonly history: () => FlowHistory | undefined;
  readonly flowLog: Pick<FlowLog, "current">;
  readonly files: Pick<LogFiles, "paths">;
}

/** Data that is available without events. */
export interface Answers {
  readonly explainer: Pick<Explainer, "explain">;
  readonly pools: () => readonly PoolUse[];
  readonly status: () => NodeStatus;
  /** The content of /metrics, whoever may read the metrics port. */
  readonly metrics: () => Promise<readonly object[]>;
  /** The agent's settings and options. */
  readonly settings: () => object;
}

/** Serves at a Unix socket, for root. GET /flows?from=… and GET /trace?client=… answer with one JSON line per event until the reader
 * disconnects. The first line of a trace reports that it has started. POST /trace?client=… ends when the request ends, and contains all
 * events until then. GET /flow-log answers with the kept flow log, GET /explain?from=… with what policies decide about a flow, GET
 * /ipam with the use of IP pools, GET /status with the state of the node, GET /metrics and GET /settings with those of the agent. */
export function serveEvents(
  socket: string,
  feed: EventFeed,
  tracer: Tracer,
  context: FlowContext & StepContext,
  kept: KeptFlows,
  { explainer, pools, status, metrics, settings }: Answers,
): Promise<Server> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://agent");
    try {
      if (url.pathname === "/flows") {
        const seconds = readSince(url.searchParams);
        const since = seconds && Date.now() - seconds * 1000;
        return streamFlows(response, readQuery(url.searchParams), since, { feed, context, ...kept });
      }
      if (url.pathname === "/trace") {
        const wanted = traceRequestSchema.safeParse(Object.fromEntries(url.searchParams));
        if (!wanted.success) return void response.writeHead(400).end(z.prettifyError(wanted.error));
        return trace(request, response, feed, tracer, wanted.data, context);
      }
      if (url.pathname === "/flow-log") return void keptFlows(response, kept);
      if (url.pathname === "/explain") {
        const wanted = explainRequestSchema.safeParse(Object.fromEntries(url.searchParams));
        if (!wanted.success) return void response.writeHead(400).end(z.prettifyError(wanted.error));
        return explained(response, explainer, kept.staged, wanted.data);
      }
      if (url.pathname === "/ipam") return objects(response, pools().map(poolUseLine));
      if (url.pathname === "/status") return objects(response, [status()]);
      if (url.pathname === "/settings") return objects(response, [settings()]);
      if (url.pathname === "/metrics")
        return void metrics().then(
          (all) => objects(response, all),
          (error) => refuse(response, error),
        );
      response.writeHead(404).end(AVAILABLE);
    } catch (error) {
      refuse(response, error);
    }
  });
  return listenPrivately(server, socket);
}

const AVAILABLE = "Available: /flows, /flow-log, /explain, /ipam, /metrics, /settings, /status and /trace.\n";

function refuse(response: ServerResponse, error: unknown): void {
  response.writeHead(statusOf(error)).end(error instanceof Error ? error.message : String(error));
}

function statusOf(error: unknown): number {
  if (error instanceof FormatError) return 400;
  return error instanceof TraceRunning || error instanceof NoHistory ? 409 : 500;
}

function objects(response: ServerResponse, all: readonly object[]): void {
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  response.end(all.map((one) => `${JSON.stringify(one)}\n`).join(""));
}

function explained(
  response: ServerResponse,
  explainer: Pick<Explainer, "explain">,
  verdicts: KeptFlows["staged"],
  { protocol, ...asked }: z.output<typeof explainRequestSchema>,
): void {
  const number = protocol === "icmp" ? icmpOf(asked.to) : PROTOCOLS[protocol];
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  const answer = explainer.explain({ ...asked, protocol: number });
  const ways = answer.ways.map((way) => {
    const { address, port } = way.to;
    const isMoved = address !== asked.to || port !== asked.port;
    const used = isMoved ? { used: { destination: asked.to, destinationPort: asked.port } } : {};
    const opened = { client: asked.from, server: address, port, protocol: number, sourcePort: asked.sourcePort };
    const staged = verdicts.explain({ ...opened, ...used });
    return staged ? { ...way, staged } : way;
  });
  response.end(`${JSON.stringify({ ...answer, ways })}\n`);
}

const icmpOf = (address: string) => (familyOf(address) === "IPv6" ? ICMPV6 : ICMP);

/** The files first, then the part that is not in a file yet. */
async function keptFlows(response: ServerResponse, { flowLog, files }: KeptFlows): Promise<void> {
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  try {
    const current = (await flowLog.current()).map((line) => `${JSON.stringify(line)}\n`);
    async function* all() {
      for (const path of files.paths()) yield* createReadStream(path);
      yield* current;
    }
    await pipeline(Readable.from(all()), response);
  } catch {
    response.destroy(); // the reader has gone, or a file: the reader sees an answer that ends early
  }
}

function trace(
  request: IncomingMessage,
  response: ServerResponse,
  feed: EventFeed,
  tracer: Tracer,
  wanted: TraceRequest,
  context: StepContext,
) {
  const { seconds, protocol, ...ends } = wanted;
  const stop = tracer.start({ ...ends, protocol: PROTOCOLS[protocol] }, seconds);
  const say = jsonLines(response);
  const end = feed.listen((event) => isStep(event) && say(stepOf(event, context)), { flows: false });
  say({ tracing: true, boot: bootId() });
  const timer = setTimeout(() => response.end(), seconds * 1000);
  const finish = () => {
    end(); // tells what is still in the ring
    response.end();
  };
  if (request.method === "POST") request.resume().once("end", finish);
  response.once("close", () => {
    clearTimeout(timer);
    end();
    stop();
  });
}

// Nodes with the same boot id share a kernel, and therefore a clock.
const bootId = () => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
