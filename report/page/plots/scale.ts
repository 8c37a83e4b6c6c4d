import { areaY, dot, line, text } from "@observablehq/plot";
import { modeName } from "../../modes.ts";
import type { Scale } from "../../results/scale.ts";
import { modeColour } from "../theme.ts";
import { calm, type PlotOptions } from "./draw.ts";

type Quantity = "medianUs" | "programmingSeconds";

const labels: Record<Quantity, string> = {
  medianUs: "↑ new connection, µs",
  programmingSeconds: "↑ seconds for a change",
};

/** One line per mode against the number of services, named at its end. */
export function scalePlot(points: Scale["points"], quantity: Quantity, width: number): PlotOptions {
  const drawn = points.map(({ mode, services, medianUs, programmingSeconds }) => {
    const estimate =
      quantity === "medianUs"
        ? medianUs
        : { value: programmingSeconds, low: programmingSeconds, high: programmingSeconds };
    return { mode: modeName(mode), services, ...estimate, colour: modeColour(mode) };
  });
  const ends = apart(
    [...Map.groupBy(drawn, ({ mode }) => mode).values()].flatMap((line) => line.at(-1) ?? []),
    quantity,
  );
  const powers = powersOfTen(drawn.map(({ value }) => value));
  const narrow = width < 500;
  return {
    ...calm,
    width,
    height: narrow ? 300 : 320,
    marginLeft: 52,
    marginRight: narrow ? 20 : 150,
    marginBottom: 40,
    marginTop: 34,
    x: {
      type: "log",
      label: "services →",
      tickFormat: (value: number) => value.toLocaleString("en-US"),
      ticks: [...new Set(points.map(({ services }) => services))],
    },
    y: {
      label: labels[quantity],
      grid: true,
      ...(quantity === "medianUs"
        ? { zero: true }
        : {
            type: "log",
            domain: [powers[0], powers.at(-1)],
            ticks: powers,
            tickFormat: (value: number) => value.toLocaleString("en-US"),
          }),
    },
    marks: [
      ...(quantity === "medianUs"
        ? [areaY(drawn, { x: "services", y1: "low", y2: "high", z: "mode", fill: "colour", fillOpacity: 0.18 })]
        : []),
      line(drawn, { x: "services", y: "value", z: "mode", stroke: "colour", strokeWidth: 2 }),
      dot(drawn, { x: "services", y: "value", fill: "colour", r: 3.5 }),
      text(ends, {
        x: "services",
        y: "at",
        text: "mode",
        textAnchor: narrow ? "end" : "start",
        dx: narrow ? 0 : 9,
        dy: narrow ? -12 : 0,
        fill: "colour",
        fontWeight: 600,
        stroke: "var(--background)",
        strokeWidth: 4,
      }),
    ],
  };
}

/** The powers of ten around all values, so that a logarithmic axis reads at a glance. */
function powersOfTen(values: number[]): number[] {
  const exponents = values.filter((value) => value > 0).map(Math.log10);
  const [first, last] = [Math.floor(Math.min(...exponents)), Math.ceil(Math.max(...exponents))];
  return Array.from({ length: Math.max(1, last - first) + 1 }, (_, index) =>
    Number((10 ** (first + index)).toPrecision(1)),
  );
}

/** Names at the lines' ends, moved until none lies on another. */
function apart<T extends { value: number; services: number }>(ends: T[], quantity: Quantity): (T & { at: number })[] {
  const most = Math.max(...ends.map(({ value }) => value));
  const placed: (T & { at: number })[] = [];
  for (const end of ends.toSorted((a, b) => a.value - b.value)) {
    const below = placed.filter(({ services }) => services === end.services).at(-1);
    const least = below ? (quantity === "medianUs" ? below.at + most * 0.075 : below.at * 1.6) : 0;
    placed.push({ ...end, at: Math.max(end.value, least) });
  }
  return placed;
}
