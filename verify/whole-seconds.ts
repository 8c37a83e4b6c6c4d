import { InvalidArgumentError } from "commander";
import { LONGEST_PAST } from "../agent/observe/events/flow-query.ts";
import { secondsOf } from "../model/objects/interval.ts";

/** The value of an option. @throws InvalidArgumentError */
export function wholeSeconds(text: string): number {
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds > 0) return seconds;
  throw new InvalidArgumentError("It must be a number of seconds, for example 300.");
}

/** The value of an option: "90s", "5m", "1h30m", or a number of seconds. @throws InvalidArgumentError */
export function duration(text: string): number {
  const seconds = /^\d+$/.test(text) ? Number(text) : secondsOf(text);
  if (seconds !== undefined && seconds > 0 && seconds <= LONGEST_PAST) return seconds;
  throw new InvalidArgumentError("It must be a time up to 1h, for example 90s, 5m or 1h30m.");
}

/** The value of an option: a port; 0 is any that is free. @throws InvalidArgumentError */
export function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError("It must be a port from 0 to 65535.");
}
