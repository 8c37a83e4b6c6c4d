import type { FelixConfiguration } from "../objects/calico.ts";
import { secondsOf } from "../objects/interval.ts";

/** How an agent keeps its flow log. */
export interface FlowLogSettings {
  readonly intervalSeconds: number;
  /** Files besides the current one. */
  readonly maxFiles: number;
  readonly maxFileBytes: number;
}

/** The defaults of Calico's fields of these names. */
export const FLOW_LOG_DEFAULTS = { flushInterval: "5m", maxFiles: 5, maxFileSizeMB: 100 } as const;

/** What a configuration asks for; undefined: no flow log, which is the default. */
export function flowLogSettings(configuration: FelixConfiguration | undefined): FlowLogSettings | undefined {
  const spec = configuration?.spec;
  if (!spec?.flowLogsFileEnabled) return undefined;
  return {
    intervalSeconds: secondsOf(spec.flowLogsFlushInterval ?? FLOW_LOG_DEFAULTS.flushInterval) ?? 300,
    maxFiles: spec.flowLogsFileMaxFiles ?? FLOW_LOG_DEFAULTS.maxFiles,
    maxFileBytes: (spec.flowLogsFileMaxFileSizeMB ?? FLOW_LOG_DEFAULTS.maxFileSizeMB) * 1_000_000,
  };
}

/** Whether agents keep the latest flows in memory, for readers that come later: while there is a flow log, which costs the packet path the same, or
 * on its own. */
export function keepsFlowHistory(configuration: FelixConfiguration | undefined): boolean {
  const spec = configuration?.spec;
  return spec?.flowLogsFileEnabled === true || spec?.flowLogsLocalReporter === "Enabled";
}
