import { randomInt } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Step } from "../../agent/observe/events/step.ts";
import { attemptText, stepLines } from "../../agent/observe/inspect/step-lines.ts";
import { hanging, widthOf } from "../../components/program/fit.ts";
import { realClock } from "../../kubernetes/patience.ts";
import { parseDestination } from "../../model/expectation/destination.ts";
import { FormatError, parsePlace } from "../../model/expectation/place.ts";
import type { AttemptResult } from "../../probe/batch.ts";
import { type Actor, sendNow } from "../actors/actor.ts";
import { labMachine } from "../actors/lab-machine.ts";
import { nodeAddresses, podAddresses, referenceOf } from "../cluster/view.ts";
import { addressTowards, hostAddresses, livePods, machineAddresses, nodeOf } from "../engine/lookup.ts";
import { failed } from "../failed.ts";
import { NodeProbers } from "../probers/node-probers.ts";
import { stopOnSignal, unlessStopped } from "../stopping.ts";
import { askingNodes, type ClusterOptions, type Reached, reachCluster } from "./agents.ts";
import { type AskedNode, sayMissing } from "./ask-nodes.ts";
import { inOrder } from "./order.ts";
import { traceNodes } from "./traced-nodes.ts";

/** Seconds after which a trace ends by itself on every node, even if this command is killed. */
const LONGEST = 60;
/** How long packets follow the end of an attempt, as those that close its connection: ms. */
const LAST_PACKETS_MS = 1000;
/** How long nodes have to report a connection: all report it together, and a busy node reports it late. */
const PATIENCE_MS = 120_000;

export interface TraceOptions extends ClusterOptions {
  json: boolean;
}

/** How a cluster is found, and made ready to send from its nodes. */
interface Parts {
  reach: typeof reachCluster;
  probersAt(reached: Reached): Pick<NodeProbers, "start" | "on" | "remove">;
}
const CLUSTERS: Parts = { reach: reachCluster, probersAt: ({ api }) => new NodeProbers(api, realClock) };

/** Sends one connection and prints what every program on every node did with its packets. @returns the exit status: 1 if steps of a node
 * are missing */
export async function traceCommand(
  from: string,
  to: string,
  options: TraceOptions,
  { reach, probersAt }: Parts = CLUSTERS,
): Promise<number> {
  const stopping = stopOnSignal();
  try {
    const reached = await unlessStopped(stopping, reach(options));
    const probers = probersAt(reached);
    const tracing = unlessStopped(stopping, trace(from, to, reached, probers));
    const { attempt, steps, asked } = await tracing.finally(async () => {
      const left = await probers.remove();
      if (left) console.error(left);
    });
    const missing = asked.filter(({ problem }) => problem !== undefined);
    if (options.json) console.log(JSON.stringify({ from, to, attempt, steps, missing }, null, 2));
    else console.log(hanging([...stepLines(steps), "", attemptText(attempt)].join("\n"), widthOf(process.stdout)));
    return sayMissing(asked, "what their programs did, since they last told of it, is not shown");
  } catch (error) {
    return failed(error);
  }
}

async function trace(
  from: string,
  to: string,
  reached: Reached,
  probers: Pick<NodeProbers, "start" | "on">,
): Promise<{ attempt: AttemptResult; steps: Step[]; asked: AskedNode[] }> {
  const { protocol, host, port } = parseDestination(/^\w+:\/\//.test(to) ? to : `tcp://${to}`);
  if (protocol !== "tcp" && protocol !== "udp")
    throw new FormatError(`"${to}" cannot be traced`, "tcp://HOST:PORT or udp://HOST:PORT");
  const [frontend = ""] = hostAddresses(reached.view, host);
  const client = clientOf(from, frontend, reached, probers);
  // Before the agents start tracing, because traces expire by themselves.
  if (client.onNode) await probers.start();
  const clientPort = randomInt(40_000, 60_000);
  const filter = {
    client: client.address,
    "client-port": clientPort,
    frontend,
    "frontend-port": port,
    protocol,
    seconds: LONGEST,
  };
  const words = Object.entries(filter).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { nodes, ask } = askingNodes(reached, ["steps", ...words]);
  const traced = await traceNodes(nodes, ask);
  try {
    const probe = {
      id: "trace",
      token: "trace",
      host: frontend,
      port,
      protocol,
      sourcePort: clientPort,
      timeoutMs: 2000,
      count: 1,
    };
    const [attempt] = await sendNow(client, [probe]);
    if (!attempt) throw new Error(`${from} sent nothing`);
    await pause(LAST_PACKETS_MS);
    // An agent that is asked to end sends everything that happened until then.
    const asked = await traced.end(PATIENCE_MS);
    return { attempt, steps: inOrder(traced.steps, traced.hasOneClock), asked };
  } finally {
    await traced.end();
  }
}

interface Client extends Pick<Actor, "prepare"> {
  address: string;
  /** Whether a prober on a node is needed. */
  onNode: boolean;
}

function clientOf(
  from: string,
  frontend: string,
  { view, lab, programs }: Reached,
  probers: Pick<NodeProbers, "on">,
): Client {
  const place = parsePlace(from);
  if (place.kind === "machine") {
    const machine = lab.machines.find(({ name }) => name === place.name);
    const known = lab.machines.map(({ name }) => name).join(", ") || "none here";
    if (!machine)
      throw new FormatError(`there is no machine "${from}"`, `machines (${known}), node/NAME and pod/NAMESPACE/NAME`);
    const { prepare } = labMachine(programs, lab.name, machine.name);
    return { address: addressTowards(frontend, machineAddresses(machine)) ?? "", onNode: false, prepare };
  }
  if (place.kind === "node")
    return {
      address: addressTowards(frontend, nodeAddresses(nodeOf(view, place.name))) ?? "",
      onNode: true,
      prepare: probers.on(place.name).prepare,
    };
  const [pod] = livePods(view, place);
  const address = pod && addressTowards(frontend, podAddresses(pod));
  if (!pod || !address) throw new Error(`${from} has no address of the family of ${frontend}`);
  return {
    address,
    onNode: true,
    prepare: (batch) =>
      probers.on(pod.spec?.nodeName ?? "").prepare(batch.map((probe) => ({ ...probe, pod: referenceOf(pod) }))),
  };
}
