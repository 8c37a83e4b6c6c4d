import { FormatError } from "../model/expectation/place.ts";
import { NoCluster } from "./connect.ts";
import { Stopped, stoppedStatus } from "./stopping.ts";

/** Says why a command failed, unless it was stopped. @returns its exit status: 2 if nothing could be asked, or if the command line was
 * wrong */
export function failed(error: unknown): number {
  if (error instanceof Stopped) return stoppedStatus;
  console.error((error as Error).message);
  return error instanceof NoCluster || error instanceof FormatError ? 2 : 1;
}
