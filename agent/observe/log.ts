import pc from "picocolors";
import { type Logger, pino } from "pino";

export type { Logger };

const LEVELS: Record<number, string> = {
  20: "debug",
  30: "info ",
  40: pc.yellow("warn "),
  50: pc.red("error"),
  60: pc.red("fatal"),
};

/** JSON lines for the cluster's log collector, plain lines for a terminal. */
export function createLog(level: string, stream: NodeJS.WriteStream = process.stderr): Logger {
  const options = { level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime };
  return stream.isTTY
    ? pino(options, { write: (line: string) => stream.write(readable(line)) })
    : pino(options, stream);
}

function readable(line: string): string {
  const { level, time, msg, ...rest } = JSON.parse(line) as { level: number; time: string; msg?: string };
  const details = Object.entries(rest).map(([name, value]) =>
    pc.dim(`${name}=${typeof value === "string" ? value : JSON.stringify(value)}`),
  );
  return `${[time.slice(11, 23), LEVELS[level] ?? level, msg ?? "", ...details].join(" ")}\n`;
}
