import type { Flow } from "../../agent/observe/events/flow.ts";
import { flowLine } from "../../agent/observe/inspect/flow-line.ts";
import { NoCluster } from "../connect.ts";
import { type ClusterOptions, inspectEachNode, reachCluster } from "./agents.ts";
import { Board } from "./board.ts";
import { Screen } from "./screen.ts";

const REDRAW_MS = 500;

export interface WatchOptions extends ClusterOptions {
  json: boolean;
  /** Ends by itself after this time; without it, on Ctrl-C. */
  seconds?: number;
}

/** Shows the cluster's events until it is stopped. @returns the exit status */
export async function watchCommand(options: WatchOptions): Promise<number> {
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stopping.abort());
  process.stdout.once("error", () => stopping.abort()); // `make watch | head`
  const board = new Board();
  const full = process.stdout.isTTY && !options.json;
  const show = (flow: Flow) => {
    if (full) board.add(flow, performance.now());
    else console.log(options.json ? JSON.stringify(flow) : flowLine(flow));
  };
  let screen: Screen | undefined;
  let redraw: NodeJS.Timeout | undefined;
  const restore = () => {
    clearInterval(redraw);
    screen?.close();
    screen = undefined;
  };
  process.once("exit", restore);
  try {
    const nodes = await inspectEachNode(await reachCluster(options), ["flows"], (record) => show(record as Flow));
    const title = `${nodes.length} nodes: ${nodes.map(({ node }) => node).join(", ")}   Ctrl-C ends`;
    if (full) {
      screen = new Screen(process.stdout);
      const draw = () => {
        const { width, height } = screen?.size ?? { width: 80, height: 24 };
        screen?.draw(board.render(title, width, height, performance.now()));
      };
      draw();
      redraw = setInterval(draw, REDRAW_MS);
    } else console.error(title);
    const late = options.seconds && setTimeout(() => stopping.abort(), options.seconds * 1000);
    const stopped = new Promise((resolve) => stopping.signal.addEventListener("abort", resolve, { once: true }));
    // If one node's agent exits, the others continue, and the exit is reported.
    const ended = Promise.all(nodes.map((one) => one.ended));
    await Promise.race([stopped, ended]).finally(() => clearTimeout(late || undefined));
    for (const one of nodes) one.stop();
    await Promise.allSettled(nodes.map((one) => one.ended));
    return 0;
  } catch (error) {
    restore();
    console.error((error as Error).message);
    return error instanceof NoCluster ? 2 : 1;
  } finally {
    restore();
  }
}
