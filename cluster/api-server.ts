import { ApiError, ApiServer, isUnreachable } from "../verify/cluster/api-server.ts";
import { ClusterFailure } from "./failure.ts";
import { readKubeconfig } from "./kubeconfig.ts";
import type { Clock } from "./patience.ts";

/** What is used of it. */
export type Api = Pick<ApiServer, "json" | "text">;

/** The API server of a kubeconfig's content. */
export function apiServerOf(kubeconfig: string): Api {
  return new ApiServer(readKubeconfig(kubeconfig));
}

/** One that has just started knows nobody's rights yet: it refuses its administrator for a moment. */
function isAway(error: unknown): error is Error {
  return isUnreachable(error) || (error instanceof ApiError && [401, 403].includes(error.status));
}

/** Seconds that `persistently` gives an API server to come back. */
const AWAY_SECONDS = 120;

/** Asks again while the API server is away. @throws ClusterFailure when it stays away. */
export async function persistently<T>(ask: () => Promise<T>, clock: Clock): Promise<T> {
  const begun = clock.now();
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isAway(error)) throw error;
      if (clock.now() - begun > AWAY_SECONDS * 1000) {
        const next = "see whether it runs on the control plane, then run the same command again: it goes on here";
        throw new ClusterFailure(`the API server does not answer for ${AWAY_SECONDS} s: ${error.message}`, next);
      }
      await clock.sleep(1000);
    }
  }
}

/** For waits over restarts of the API server: that it is away is what is missing, everything else is a failure. */
export async function whileAway(look: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await look();
  } catch (error) {
    if (isAway(error)) return `the API server does not answer (${error.message})`;
    throw error;
  }
}
