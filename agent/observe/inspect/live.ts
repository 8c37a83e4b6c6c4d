import { execFile } from "node:child_process";
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { canonicalAddress, familyOf } from "../../../model/address/address.ts";
import { addressesOf, type PodAddresses } from "../../../model/objects/pod-of.ts";
import type { AttemptResult } from "../../../probe/batch.ts";
import { readEvents } from "../events/client.ts";
import { type FlowQuery, queryParameters } from "../events/flow-query.ts";
import type { FlowLine } from "../events/flow-stream.ts";
import type { Step } from "../events/step.ts";
import { anyLine } from "./flow-line.ts";
import { attemptText, stepLines } from "./step-lines.ts";

export interface LiveOptions {
  readonly json?: boolean;
  readonly whileInput?: boolean;
  readonly udp?: boolean;
  readonly runDirectory: string;
}

export type FlowOptions = LiveOptions & FlowQuery;

export interface StepOptions extends LiveOptions {
  readonly client: string;
  readonly clientPort: string;
  readonly frontend: string;
  readonly frontendPort: string;
  readonly protocol: string;
  readonly seconds: string;
}

/** How long packets follow the end of an attempt, for example those that close its connection: ms. */
const LAST_PACKETS_MS = 400;
const TRACE_SECONDS = 15;

export async function printFlows({ json, whileInput, runDirectory, ...query }: FlowOptions): Promise<void> {
  const print = (line: FlowLine) => console.log(json ? JSON.stringify(line) : anyLine(line));
  await readEvents(
    runDirectory,
    `/flows?${queryParameters(query)}`,
    (record) => print(record as FlowLine),
    anyOf(ending(whileInput)),
  );
}

/** Prints a trace's steps as JSON lines. */
export async function printSteps({
  runDirectory,
  whileInput,
  json: _,
  udp: __,
  ...filter
}: StepOptions): Promise<void> {
  const [path, print] = [
    `/trace?${new URLSearchParams({ ...filter })}`,
    (step: unknown) => console.log(JSON.stringify(step)),
  ];
  const { gone, enough } = ending(whileInput);
  await readEvents(runDirectory, path, print, gone, enough);
}

/** Opens one connection from this node or one of its pods, and prints the steps of its packets on this node. */
export async function printTrace(client: string, service: string, options: LiveOptions): Promise<void> {
  const [, written = "", frontendPort = ""] = /^(.+):(\d+)$/.exec(service) ?? [];
  const frontend = canonicalAddress(written.replace(/^\[(.*)\]$/, "$1"));
  if (!frontend)
    throw new Error(`"${service}" is not a valid destination; allowed: ADDRESS:PORT, [IPv6 ADDRESS]:PORT.`);
  const clientPort = String(randomInt(40_000, 60_000));
  const protocol = options.udp ? "udp" : "tcp";
  const pod = client === "node" ? undefined : ownPod(client, options.runDirectory);
  const netns = pod?.netns;
  const address = pod ? addressOfPod(pod, client, frontend) : await addressTowards(frontend);
  const query = new URLSearchParams({
    client: address,
    clientPort,
    frontend,
    frontendPort,
    protocol,
    seconds: String(TRACE_SECONDS),
  });
  const steps: Step[] = [];
  const enough = new AbortController();
  let attempt: AttemptResult | undefined;
  const send = async () => {
    const probe = {
      id: "trace",
      token: "trace",
      host: frontend,
      port: Number(frontendPort),
      protocol,
      sourcePort: Number(clientPort),
    };
    attempt = await probeOnce({ ...probe, ...(netns && { netns }) });
    await pause(LAST_PACKETS_MS);
  };
  let sent: Promise<void> | undefined;
  await readEvents(
    options.runDirectory,
    `/trace?${query}`,
    (record) => {
      if (!("tracing" in (record as object))) return void steps.push(record as Step);
      sent = send().finally(() => enough.abort());
      sent.catch(() => {}); // awaited below, when all is told
    },
    new AbortController().signal,
    enough.signal,
  );
  await sent;
  if (options.json) return console.log(JSON.stringify({ attempt, steps }, null, 2));
  console.log([...stepLines(steps), "", attempt ? attemptText(attempt) : "nothing was sent"].join("\n"));
}

// The prober runs as a separate process, because it enters a pod's network namespace.
function probeOnce(probe: object): Promise<AttemptResult> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [join(dirname(process.argv[1] ?? ""), "probe.js"), "probe"],
      (error, stdout, stderr) =>
        error
          ? reject(new Error(stderr.trim() || error.message))
          : resolve(JSON.parse(stdout.trim().split("\n")[0] ?? "{}")),
    );
    child.stdin?.end(JSON.stringify([probe]));
  });
}

interface OwnPod extends PodAddresses {
  namespace: string;
  pod: string;
  netns: string;
}

/** The pod's address of the destination's family. */
function addressOfPod(pod: OwnPod, name: string, destination: string): string {
  const family = familyOf(destination);
  const address = addressesOf(pod).find((one) => familyOf(one) === family);
  if (address) return address;
  throw new Error(`Pod ${name} has no ${family} address, so it cannot reach ${destination}.`);
}

/** A pod of this node: its address, and its network namespace's path. */
function ownPod(pod: string, runDirectory: string): OwnPod {
  const path = join(runDirectory, "endpoints.json");
  const { endpoints } = existsSync(path)
    ? (JSON.parse(readFileSync(path, "utf8")) as { endpoints: OwnPod[] })
    : { endpoints: [] };
  const found = endpoints.find(({ namespace, pod: name }) => `${namespace}/${name}` === pod);
  if (found) return found;
  const known = endpoints.map(({ namespace, pod: name }) => `${namespace}/${name}`).join(", ") || "none";
  throw new Error(
    `"${pod}" is not on this node; allowed: node, or one of its pods (${known}). For other clients: make trace.`,
  );
}

/** The source address of this node's packets to `destination`. */
function addressTowards(destination: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(familyOf(destination) === "IPv6" ? "udp6" : "udp4");
    socket.once("error", reject);
    socket.connect(9, destination, () => {
      const { address } = socket.address();
      socket.close();
      resolve(address);
    });
  });
}

interface Ending {
  /** Aborts when the reader has disconnected. */
  readonly gone: AbortSignal;
  /** Aborts when the reader has asked for the end. */
  readonly enough: AbortSignal;
}

function ending(whileInput = false): Ending {
  const [gone, enough] = [new AbortController(), new AbortController()];
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => enough.abort());
  if (whileInput) process.stdin.on("data", () => enough.abort()).once("end", () => gone.abort());
  process.stdout.on("error", () => gone.abort());
  return { gone: gone.signal, enough: enough.signal };
}

const anyOf = ({ gone, enough }: Ending): AbortSignal => AbortSignal.any([gone, enough]);
