import type { Measurement } from "./document.ts";
import type { Comparison } from "./results/compare.ts";
import type { Scale } from "./results/scale.ts";
import type { Throughput } from "./results/throughput.ts";
import type { VerificationResult } from "./results/verification.ts";

/** The available results. An absent result was not measured, and the report states that. */
export interface ReportInputs {
  verification?: VerificationResult;
  compare?: Comparison;
  throughput?: Throughput;
  scale?: Scale;
  /** Why a result that should be there is not, in a sentence each: a file that cannot be read. */
  unreadable?: Partial<Record<Measurement, string>>;
  /** Whether the commands that it names are those of a checkout, and not of the npm package. Default: true. */
  isCheckout?: boolean;
  /** When the report is written: figures of other days are marked. */
  writtenAt: Date;
}
