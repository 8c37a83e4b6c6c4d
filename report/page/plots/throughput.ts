import { axisFx, dot, line, ruleX } from "@observablehq/plot";
import { modeName } from "../../modes.ts";
import type { Throughput } from "../../results/throughput.ts";
import { modeColour } from "../theme.ts";
import { calm, type PlotOptions } from "./draw.ts";

type Quantity = "gbitPerSecond" | "cpuSecondsPerGbit";

const labels: Record<Quantity, string> = { gbitPerSecond: "↑ Gbit/s", cpuSecondsPerGbit: "↑ CPU seconds per Gbit" };

/** Against the size of a write; one column per MTU, more streams with a dashed line. */
export function throughputPlot(runs: Throughput["runs"], quantity: Quantity, width: number): PlotOptions {
  const few = Math.min(...runs.map(({ streams }) => streams));
  const drawn = runs.map(({ path, mtu, streams, messageBytes, [quantity]: estimate }) => ({
    series: `${modeName(path)}, ${streams === 1 ? "1 stream" : `${streams} streams`}`,
    mtu: `MTU ${mtu}`,
    messageBytes,
    ...estimate,
    colour: modeColour(path),
    few: streams === few,
  }));
  const marks = [true, false].flatMap((first) => {
    const part = drawn.filter((point) => point.few === first);
    const stroke = first ? {} : { strokeDasharray: "5 4" };
    return [
      line(part, {
        x: "messageBytes",
        y: "value",
        z: "series",
        fx: "mtu",
        stroke: "colour",
        strokeWidth: 2,
        ...stroke,
      }),
      ruleX(part, {
        x: "messageBytes",
        y1: "low",
        y2: "high",
        fx: "mtu",
        stroke: "colour",
        strokeOpacity: 0.5,
        strokeWidth: 3,
      }),
      dot(part, {
        x: "messageBytes",
        y: "value",
        fx: "mtu",
        r: 3.5,
        fill: first ? "colour" : "var(--background)",
        stroke: "colour",
      }),
    ];
  });
  const narrow = width < 500;
  return {
    ...calm,
    width,
    height: narrow ? 280 : 300,
    marginLeft: 46,
    marginRight: 12,
    marginBottom: 40,
    marginTop: 44,
    fx: { label: null, padding: 0.12, axis: null },
    x: { type: "log", base: 2, label: "bytes per write →", ticks: sizes(runs, narrow), tickFormat: bytes },
    y: { label: labels[quantity], grid: true, zero: true },
    marks: [...marks, axisFx({ anchor: "top", label: null, fill: "var(--text)" })],
  };
}

function sizes(runs: Throughput["runs"], narrow: boolean): number[] {
  const all = [...new Set(runs.map(({ messageBytes }) => messageBytes))].toSorted((a, b) => a - b);
  return narrow ? all.filter((_, index) => index % 2 === 0) : all;
}

function bytes(size: number): string {
  return size >= 1024 && size % 1024 === 0 ? `${size / 1024}k` : String(size);
}
