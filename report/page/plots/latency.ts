import { areaY, axisFy, ruleY, text, tickX } from "@observablehq/plot";
import { modeName } from "../../modes.ts";
import type { ComparedModeResult } from "../../results/compare.ts";
import { modeColour } from "../theme.ts";
import { figure } from "../words.ts";
import { calm, type PlotOptions } from "./draw.ts";

/** The distribution of connection times, one row per mode over one axis, its median marked. */
export function latencyPlot(modes: ComparedModeResult[], width: number): PlotOptions {
  const last = axisEnd(modes);
  const bins = modes.flatMap(({ mode, histogramUs }) => {
    const total = histogramUs.reduce((sum, { count }) => sum + count, 0) || 1;
    return histogramUs
      .filter(({ from }) => from <= last)
      .map(({ from, to, count }) => ({
        mode: modeName(mode),
        at: (from + to) / 2,
        density: count / total / (to - from || 1),
        fill: modeColour(mode),
      }));
  });
  const medians = modes.map(({ mode, medianUs }) => ({
    mode: modeName(mode),
    at: medianUs,
    label: `${figure(medianUs)} µs`,
    colour: modeColour(mode),
  }));
  const narrow = width < 500;
  return {
    ...calm,
    width,
    height: modes.length * 74 + 44,
    marginLeft: narrow ? 4 : 128,
    marginRight: 12,
    marginBottom: 40,
    x: {
      label: "new connection, µs →",
      domain: [axisStart(modes), last],
      grid: true,
      labelAnchor: "right",
      ticks: narrow ? 4 : 8,
    },
    y: { axis: null },
    fy: { domain: modes.map(({ mode }) => modeName(mode)), label: null, padding: 0.12 },
    marks: [
      areaY(bins, {
        x: "at",
        y: "density",
        fy: "mode",
        fill: "fill",
        fillOpacity: 0.28,
        stroke: "fill",
        curve: "monotone-x",
        z: "mode",
        clip: true,
      }),
      ruleY([0], { stroke: "var(--line)" }),
      tickX(medians, { x: "at", fy: "mode", stroke: "colour", strokeWidth: 2 }),
      text(medians, {
        x: "at",
        fy: "mode",
        text: "label",
        frameAnchor: "top",
        textAnchor: "start",
        dx: 6,
        dy: 2,
        fill: "colour",
        fontWeight: 600,
        stroke: "var(--background)",
        strokeWidth: 4,
      }),
      narrow
        ? text(medians, {
            fy: "mode",
            text: "mode",
            frameAnchor: "top-right",
            dy: 2,
            fill: "var(--text)",
            stroke: "var(--background)",
            strokeWidth: 4,
          })
        : axisFy({ anchor: "left", label: null, lineWidth: 12, fill: "var(--text)" }),
    ],
  };
}

/** The slowest hundredth has a long tail that would press everything else together; the table has its figures. */
export function axisEnd(modes: ComparedModeResult[]): number {
  return Math.max(...modes.map(({ p99Us, medianUs }) => Math.min(p99Us, medianUs * 2.2))) * 1.06;
}

function axisStart(modes: ComparedModeResult[]): number {
  return Math.max(0, Math.min(...modes.map(({ p10Us, medianUs }) => p10Us - (medianUs - p10Us))) * 0.92);
}
