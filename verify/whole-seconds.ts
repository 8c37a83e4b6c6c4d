import { InvalidArgumentError } from "commander";

/** The value of an option. @throws InvalidArgumentError */
export function wholeSeconds(text: string): number {
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds > 0) return seconds;
  throw new InvalidArgumentError("It must be a number of seconds, for example 300.");
}
