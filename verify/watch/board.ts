import pc from "picocolors";
import type { Flow } from "../../agent/observe/events/flow.ts";
import { isRefused } from "../../agent/observe/events/flow-filter.ts";
import { flowLine } from "../../agent/observe/inspect/flow-line.ts";
import { printable } from "../../model/printable.ts";
import { type MergedFlow, MergedFlows } from "./merged-flows.ts";
import { endName, ownerName, shortLine } from "./short-line.ts";

/** Rates are over this long: ms. */
const WINDOW_MS = 10_000;
const RECENT = 200;
const ESCAPE = String.fromCharCode(27);
const COLOUR = new RegExp(`(${ESCAPE}\\[[0-9;]*m)`);

/** Narrower screens show names without addresses. */
const ROOM_FOR_BOTH = 140;
/** How many kinds of refusals are kept: a scan of addresses must not fill the memory. */
const MOST_REFUSALS = 500;

/** The flows of a cluster as lines of a screen. Each connection is one line, and counts once. */
export class Board {
  readonly #merged = new MergedFlows();
  readonly #window: MergedFlow[] = [];
  readonly #recent: MergedFlow[] = [];
  readonly #drops = new Map<string, { count: number; last: Flow }>();

  /** `now`: milliseconds. */
  add(flow: Flow, now: number): void {
    const { merged, first } = this.#merged.add(flow, now);
    if (!first) return;
    this.#window.push(merged);
    this.#recent.push(merged);
    if (this.#recent.length > RECENT) this.#recent.shift();
    if (!isRefused(flow)) return;
    const key = `${flow.reason} ${flow.service ?? flow.to.address} ${flow.rule}`;
    const count = (this.#drops.get(key)?.count ?? 0) + 1;
    this.#drops.delete(key); // the one that was seen last is the last one
    this.#drops.set(key, { count, last: flow });
    if (this.#drops.size > MOST_REFUSALS) this.#drops.delete(this.#drops.keys().next().value ?? "");
  }

  /** At most `height` lines of at most `width` columns. */
  render(title: string, width: number, height: number, now: number): string[] {
    while (this.#window[0] && this.#window[0].at < now - WINDOW_MS) this.#window.shift();
    const services = this.#services();
    const drops = [...this.#drops.values()].sort((a, b) => b.count - a.count).slice(0, height < 40 ? 3 : 5);
    const top = [
      pc.bold(title),
      "",
      pc.bold("SERVICE                              NEW/S   REFUSED/S"),
      ...(services.length > 0
        ? services.slice(0, Math.max(3, Math.floor(height / 6)))
        : ["(no connection in the last 10 s)"]),
      "",
      pc.bold("REFUSED SINCE THE START"),
      ...(drops.length > 0 ? drops.flatMap(({ count, last }) => dropLines(count, last)) : ["(none)"]),
      "",
      pc.bold("FLOWS"),
    ];
    const room = Math.max(0, height - top.length);
    const show = ({ flow, nodes }: MergedFlow) => {
      const named = { ...flow, node: nodes.join(">") };
      return width >= ROOM_FOR_BOTH ? flowLine(named) : shortLine(named, width);
    };
    const flows = room > 0 ? this.#recent.slice(-room).map(show) : [];
    return [...top, ...flows].slice(0, height).map((line) => cut(line, width));
  }

  #services(): string[] {
    const rates = new Map<string, { opened: number; refused: number }>();
    for (const { flow } of this.#window) {
      const key = flow.service ?? "(no service)";
      const rate = rates.get(key) ?? { opened: 0, refused: 0 };
      if (flow.verdict === "opened") rate.opened++;
      else if (isRefused(flow)) rate.refused++;
      rates.set(key, rate);
    }
    const perSecond = (count: number) => ((count * 1000) / WINDOW_MS).toFixed(1);
    return [...rates]
      .sort(([, a], [, b]) => b.opened + b.refused - a.opened - a.refused)
      .map(
        ([name, { opened, refused }]) =>
          `${name.padEnd(34)}${perSecond(opened).padStart(8)}${perSecond(refused).padStart(12)}`,
      );
  }
}

/** The refusal, its destination and its sender; below them the reason, with tier, policy and rule. */
function dropLines(count: number, { reason, text, rule, to, service, client }: Flow): string[] {
  const whom = service ? `service ${service}` : endName(to);
  const who = client ? (ownerName(client) ?? client.address) : "a socket";
  return [
    `${String(count).padStart(7)}  to ${whom}, last from ${who}`,
    `${" ".repeat(9)}${printable(rule ?? `${reason}: ${text}`)}`,
  ];
}

// Colours have no width.
function cut(line: string, width: number): string {
  let shown = 0;
  let result = "";
  for (const part of line.split(COLOUR)) {
    if (part.startsWith(ESCAPE)) result += part;
    else {
      result += part.slice(0, Math.max(0, width - shown));
      shown += part.length;
    }
  }
  return result;
}
