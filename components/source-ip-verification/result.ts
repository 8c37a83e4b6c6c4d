/** One expectation of the truth table. */
export interface VerificationRow {
  /** Where the connection came from. */
  from: string;
  /** What it was for. */
  to: string;
  /** What must be shown, in words. */
  expected: string;
  /** What was seen, in words. */
  observed: string;
  /** Whether they agree. */
  pass: boolean;
  /** Name of the check, and the step where it has several. */
  step?: string;
  /** What is not as expected, then what the observation rests on. */
  evidence?: string[];
}

/** What new connections took in one mode. */
export interface LatencyFigure {
  /** Who handled services meanwhile. */
  mode: string;
  /** Connections measured. */
  connections: number;
  /** Mean time of a new connection, microseconds. */
  meanUs: number;
  /** Median with its 95 % confidence interval, microseconds. */
  medianUs: LatencyEstimate;
  /** 99th percentile, microseconds. */
  p99Us: number;
  /** Rounds that count. */
  rounds: number;
  /** Rounds set aside because the computer was disturbed. */
  disturbedRounds: number;
}

/** An estimate with its 95 % confidence interval. */
export interface LatencyEstimate {
  /** The estimate. */
  value: number;
  /** Lower end of the interval. */
  low: number;
  /** Upper end of the interval. */
  high: number;
}

/** What the verification's program prints: the form of `verification.json`, as far as outputs need it. */
export interface VerificationDocument {
  verdict: string;
  passed: number;
  failed: number;
  rows: VerificationRow[];
  figures?: LatencyFigure[];
  reportPath?: string;
}
