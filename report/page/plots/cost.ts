import { axisFy, barX, ruleX, text } from "@observablehq/plot";
import { modeName } from "../../modes.ts";
import type { ComparedModeResult } from "../../results/compare.ts";
import { modeColour } from "../theme.ts";
import { figure } from "../words.ts";
import { calm, type PlotOptions } from "./draw.ts";

/** A figure of one mode on one machine. */
export interface Cost {
  mode: ComparedModeResult["mode"];
  machine: string;
  value: number;
}

export function costsOf(modes: ComparedModeResult[], field: "bpfNsPerConnection" | "packetsPerConnection"): Cost[] {
  return modes.flatMap(({ mode, [field]: byMachine }) =>
    Object.entries(byMachine).map(([machine, value]) => ({ mode, machine, value })),
  );
}

/** Bars: a group per mode, a bar per machine. */
export function costPlot(costs: Cost[], label: string, width: number): PlotOptions {
  const bars = costs.map(({ mode, machine, value }) => ({
    mode: modeName(mode),
    machine,
    value,
    label: figure(value, value < 10 && !Number.isInteger(value) ? 1 : 0),
    colour: modeColour(mode),
  }));
  const modes = [...new Set(bars.map(({ mode }) => mode))];
  const machines = [...new Set(bars.map(({ machine }) => machine))];
  const longest = Math.max(...machines.map((machine) => machine.length));
  const side = Math.min(150, 16 + longest * 7);
  const narrow = width < 500;
  return {
    ...calm,
    width,
    height: modes.length * (machines.length * 20 + (narrow ? 30 : 14)) + 44,
    marginLeft: narrow ? side : 128 + side,
    marginRight: 52,
    marginBottom: 40,
    x: { label: `${label} →`, grid: true, ticks: narrow ? 4 : 8 },
    y: { domain: machines, label: null, tickSize: 0 },
    fy: { domain: modes, label: null, padding: narrow ? 0.3 : 0.14 },
    marks: [
      barX(bars, {
        x: "value",
        y: "machine",
        fy: "mode",
        fill: "colour",
        fillOpacity: 0.75,
        insetTop: 1,
        insetBottom: 1,
      }),
      text(bars, {
        x: "value",
        y: "machine",
        fy: "mode",
        text: "label",
        textAnchor: "start",
        dx: 5,
        fill: "var(--text)",
      }),
      ruleX([0], { stroke: "var(--muted)" }),
      narrow
        ? text(modes, {
            fy: (mode: string) => mode,
            text: (mode: string) => mode,
            frameAnchor: "top-left",
            dx: 4,
            dy: -15,
            fontWeight: 600,
            fill: "var(--text)",
          })
        : axisFy({ anchor: "left", label: null, dx: -side, lineWidth: 12, fill: "var(--text)" }),
    ],
  };
}

/** CPU time per connection, cut into the kernel's softirq and the machines' processes. */
export function cpuPlot(modes: ComparedModeResult[], width: number): PlotOptions {
  const parts = modes.flatMap((each) =>
    partsOf(each).map(({ part, value }) => ({ mode: modeName(each.mode), part, value })),
  );
  const narrow = width < 500;
  const names = [...new Set(parts.map(({ part }) => part))];
  const totals = modes.map(({ mode, cpuUsPerConnection }) => ({
    mode: modeName(mode),
    value: cpuUsPerConnection.value,
    label: `${figure(cpuUsPerConnection.value)} µs`,
  }));
  return {
    ...calm,
    width,
    height: modes.length * (narrow ? 50 : 38) + 44,
    marginLeft: narrow ? 8 : 128,
    marginRight: 60,
    marginBottom: 40,
    x: { label: "CPU time per connection, µs →", grid: true, ticks: narrow ? 4 : 8 },
    y: { axis: null },
    fy: { domain: modes.map(({ mode }) => modeName(mode)), label: null, padding: narrow ? 0.45 : 0.22 },
    color: {
      type: "ordinal",
      domain: names,
      range: names.map((_, index) => partColours[index % partColours.length] ?? "var(--muted)"),
    },
    marks: [
      barX(parts, { x: "value", fy: "mode", fill: "part", fillOpacity: 0.8, insetRight: 1 }),
      text(totals, { x: "value", fy: "mode", text: "label", textAnchor: "start", dx: 6, fill: "var(--text)" }),
      ruleX([0], { stroke: "var(--muted)" }),
      narrow
        ? text(totals, { fy: "mode", text: "mode", frameAnchor: "top-left", dy: -15, fill: "var(--text)" })
        : axisFy({ anchor: "left", label: null, lineWidth: 12, fill: "var(--text)" }),
    ],
  };
}

/** Parts are no modes; they borrow the same palette in another order. */
export const partColours = [
  "var(--EbpfTunnel)",
  "var(--EbpfDsr)",
  "var(--KubeProxyIptables)",
  "var(--KubeProxyNftables)",
  "var(--Direct)",
];

export function partsOf({
  softirqUsPerConnection,
  processUsPerConnection,
  cpuUsPerConnection,
}: ComparedModeResult): { part: string; value: number }[] {
  const processes = Object.entries(processUsPerConnection).map(([machine, value]) => ({
    part: `processes on ${machine}`,
    value,
  }));
  const known = softirqUsPerConnection + processes.reduce((sum, { value }) => sum + value, 0);
  const rest = cpuUsPerConnection.value - known;
  return [
    { part: "softirq", value: softirqUsPerConnection },
    ...processes,
    ...(rest > 0 ? [{ part: "everything else", value: rest }] : []),
  ];
}
