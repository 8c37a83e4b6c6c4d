import { axisY, dot, ruleX, ruleY, text } from "@observablehq/plot";
import type { Report } from "../../document.ts";
import { modeName } from "../../modes.ts";
import type { Ratio } from "../../results/figures.ts";
import { modeColour } from "../theme.ts";
import { figure } from "../words.ts";
import { calm, type PlotOptions } from "./draw.ts";

/** Ratios to one baseline with their intervals, the seed's beside them. */
export function ratiosPlot(ratios: Ratio[], seed: Report["seed"], width: number): PlotOptions {
  const rows = ratios.map(({ of, ratio: { value, low, high } }) => ({
    mode: modeName(of),
    value,
    low,
    high,
    label: figure(value),
    colour: modeColour(of),
  }));
  const shown = new Set(ratios.map(({ of }) => of));
  const beside = seed.filter(({ mode }) => shown.has(mode)).map(({ mode, ratio }) => ({ mode: modeName(mode), ratio }));
  const all = [1, ...rows.flatMap(({ low, high }) => [low, high]), ...beside.map(({ ratio }) => ratio)];
  const narrow = width < 500;
  return {
    ...calm,
    width,
    height: rows.length * (narrow ? 58 : 46) + 48,
    marginLeft: narrow ? 8 : 128,
    marginRight: 20,
    marginBottom: 40,
    x: {
      label: "ratio to the baseline →",
      domain: [Math.min(...all) - 0.06, Math.max(...all) + 0.06],
      grid: true,
      ticks: narrow ? 4 : 8,
    },
    y: { type: "point", padding: 0.6, domain: rows.map(({ mode }) => mode), label: null },
    marks: [
      ruleX([1], { stroke: "var(--muted)", strokeDasharray: "3 3" }),
      ruleY(rows, { x1: "low", x2: "high", y: "mode", stroke: "colour", strokeWidth: 4, strokeOpacity: 0.45 }),
      dot(rows, { x: "value", y: "mode", fill: "colour", r: 5 }),
      dot(beside, { x: "ratio", y: "mode", symbol: "diamond", stroke: "var(--text)", strokeWidth: 1.5, r: 5 }),
      text(rows, {
        x: "value",
        y: "mode",
        text: "label",
        dy: narrow ? 16 : -13,
        fill: "colour",
        fontWeight: 600,
        stroke: "var(--background)",
        strokeWidth: 4,
      }),
      narrow
        ? text(rows, {
            y: "mode",
            text: "mode",
            frameAnchor: "left",
            dy: -16,
            fill: "var(--text)",
            stroke: "var(--background)",
            strokeWidth: 4,
          })
        : axisY({ anchor: "left", label: null, tickSize: 0, lineWidth: 14, fill: "var(--text)" }),
    ],
  };
}
