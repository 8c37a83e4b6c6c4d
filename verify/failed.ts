import { FormatError } from "../model/expectation/place.ts";
import { NoCluster } from "./connect.ts";
import { Stopped, stoppedStatus } from "./stopping.ts";

/** Says why a command came to nothing, unless it was stopped. @returns its exit status: 2 if nobody could be asked, or a word was wrong */
export function failed(error: unknown): number {
  if (error instanceof Stopped) return stoppedStatus;
  console.error((error as Error).message);
  return error instanceof NoCluster || error instanceof FormatError ? 2 : 1;
}
