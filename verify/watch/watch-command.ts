import { setTimeout as pause } from "node:timers/promises";
import type { Flow } from "../../agent/observe/events/flow.ts";
import { flowLine } from "../../agent/observe/inspect/flow-line.ts";
import { failed } from "../failed.ts";
import { isScreen } from "../terminal.ts";
import { Board } from "./board.ts";
import { type FlowSource, openFlows, type WatchOptions } from "./flow-source.ts";
import { endOnKey } from "./keys.ts";
import { type MergedFlow, MergedFlows } from "./merged-flows.ts";
import { FlowMap } from "./page/flow-map.ts";
import { servePage } from "./page/serve.ts";
import { Screen } from "./screen.ts";

export type { WatchOptions } from "./flow-source.ts";

const REDRAW_MS = 500;
const STOP_MS = 2000;
/** How long a line waits for the other node's report of its connection, ms. */
const TOGETHER_MS = 1000;

/** Where flows are shown. */
interface Display {
  add(flow: Flow, at: number): void;
  /** What is known about the source so far: nothing until all nodes are asked. */
  begin(source: FlowSource): void;
  note(text: string): void;
  close(): void;
}

/** Shows the cluster's events until it is stopped. @returns the exit status */
export async function watchCommand(options: WatchOptions): Promise<number> {
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stopping.abort());
  process.stdout.once("error", () => stopping.abort()); // `make watch | head`
  const stopped = new Promise<void>((resolve) => stopping.signal.addEventListener("abort", () => resolve()));
  const display = await displayOf(options, () => stopping.abort()).catch((error) => console.error(error.message));
  if (!display) return 2;
  process.once("exit", () => display.close());
  const late = options.seconds && setTimeout(() => stopping.abort(), options.seconds * 1000);
  try {
    const opening = openFlows(options, display);
    const source = await Promise.race([opening, stopped]);
    if (!source) {
      // Work that was begun on the nodes is ended, as far as that is quick.
      await Promise.race([opening.then((late) => late.stop()).catch(() => {}), pause(STOP_MS)]);
      return 0;
    }
    display.begin(source);
    await stopped;
    await source.stop();
    return 0;
  } catch (error) {
    display.close();
    return failed(error);
  } finally {
    clearTimeout(late || undefined);
    display.close();
  }
}

async function displayOf(options: WatchOptions, end: () => void): Promise<Display> {
  if (options.page !== undefined) return pageDisplay(options.page === true ? 0 : options.page);
  if (options.json) return { ...onStandardError, add: (flow) => console.log(JSON.stringify(flow)) };
  return isScreen(process.stdout) ? screenDisplay(end) : lineDisplay();
}

const onStandardError = {
  begin: ({ title }: FlowSource) => console.error(title()),
  note: (text: string) => console.error(text),
  close: () => {},
};

/** A page for a browser on this computer. */
async function pageDisplay(port: number): Promise<Display> {
  const map = new FlowMap();
  let title = () => "Reading the cluster …";
  const page = await servePage(port, () => map.snapshot(title()));
  console.log(page.url);
  return {
    ...onStandardError,
    add: (flow, at) => map.add(flow, at),
    begin: (source) => {
      title = source.title;
      console.error(`${title()}   Ctrl-C ends`);
    },
    close: page.close,
  };
}

/** The whole terminal: shown at once, with a note about what it waits for. */
function screenDisplay(end: () => void): Display {
  const board = new Board();
  const screen = new Screen(process.stdout);
  const restoreKeys = endOnKey(process.stdin, end);
  let title = () => "reading the cluster …   q ends";
  const draw = () => screen.draw(board.render(title(), screen.size.width, screen.size.height, performance.now()));
  draw();
  const redraw = setInterval(draw, REDRAW_MS);
  process.stdout.on("resize", draw);
  let closed = false;
  return {
    add: (flow, at) => board.add(flow, at),
    begin: (source) => {
      title = () => `${source.title()}   q ends`;
      draw();
    },
    note: () => {}, // the title says it
    close: () => {
      if (closed) return;
      closed = true;
      clearInterval(redraw);
      process.stdout.off("resize", draw);
      restoreKeys();
      screen.close();
    },
  };
}

/** One line for each connection, when the nodes on its way have had time to report it. */
function lineDisplay(): Display {
  const merged = new MergedFlows();
  let waiting: MergedFlow[] = [];
  const print = (before: number) => {
    const due = waiting.filter(({ at }) => at <= before);
    waiting = waiting.filter(({ at }) => at > before);
    for (const { flow, nodes } of due) console.log(flowLine({ ...flow, node: nodes.join(">") }));
  };
  const timer = setInterval(() => print(performance.now() - TOGETHER_MS), TOGETHER_MS / 4);
  return {
    ...onStandardError,
    add: (flow, at) => {
      const { merged: one, first } = merged.add(flow, at);
      if (first) waiting.push(one);
    },
    close: () => {
      clearInterval(timer);
      print(Number.POSITIVE_INFINITY);
    },
  };
}
