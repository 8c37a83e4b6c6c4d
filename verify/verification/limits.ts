import type { Threshold } from "../../components/documents/verification.ts";
import type { ComparedModeResult, Comparison } from "../../report/results/compare.ts";
import type { ThresholdResult } from "../../report/results/verification.ts";

/** Compares limits with the measurement. A missing figure exceeds its limit. */
export function assessLimits(thresholds: Threshold[], comparison: Comparison | undefined): ThresholdResult[] {
  return thresholds.map((threshold) => {
    const { quantity, mode, baseline, atMost } = threshold;
    const what = `${quantity} of ${mode}${baseline ? ` as a ratio to ${baseline}` : ""}`;
    const figure = comparison && (baseline ? ratioOf(threshold, comparison) : measuredOf(threshold, comparison));
    if (!figure) return { what, atMost, pass: false };
    return { what, atMost, observed: figure.value, pass: figure.low <= atMost };
  });
}

/** A figure; `low` is the lower end of its confidence interval, where it has one. */
interface Bounded {
  value: number;
  low: number;
}

function measuredOf({ quantity, mode }: Threshold, { modes }: Comparison): Bounded | undefined {
  const measured = modes.find((one) => one.mode === mode);
  return measured && measured.connections > 0 ? figureOf(measured, quantity) : undefined;
}

function ratioOf({ quantity, mode, baseline }: Threshold, { modes, ratios }: Comparison): Bounded | undefined {
  const known = ratios.find((one) => one.of === mode && one.to === baseline && one.quantity === quantity);
  if (known) return known.ratio;
  const [over, under] = [mode, baseline].map((name) => modes.find((one) => one.mode === name));
  if (!over?.connections || !under?.connections) return undefined;
  const value = figureOf(over, quantity).value / figureOf(under, quantity).value;
  return Number.isFinite(value) ? { value, low: value } : undefined;
}

function figureOf(mode: ComparedModeResult, quantity: Threshold["quantity"]): Bounded {
  if (quantity === "medianUs") return mode.medianSpreadUs;
  if (quantity === "cpuUsPerConnection") return mode.cpuUsPerConnection;
  return { value: mode[quantity], low: mode[quantity] };
}
