import { isAway, isRefusal, type KubernetesError } from "../kubernetes/errors.ts";
import { type Clock, patiently } from "../kubernetes/patience.ts";
import { ClusterFailure } from "./failure.ts";

/** An API server that has just started does not know any rights yet: it rejects its administrator for a moment. */
const isAwayOrStarting = (error: unknown): error is KubernetesError => isAway(error) || isRefusal(error, 401, 403);

/** Seconds that `persistently` gives an API server to come back. */
const AWAY_SECONDS = 120;

/** Asks again while the API server is away. @throws ClusterFailure when it stays away. */
export async function persistently<T>(ask: () => Promise<T>, clock: Clock): Promise<T> {
  const limitMs = (error: Error) => (isAwayOrStarting(error) ? AWAY_SECONDS * 1000 : 0);
  try {
    return await patiently(ask, { limitMs, everyMs: 1000, clock });
  } catch (error) {
    if (!isAwayOrStarting(error)) throw error;
    const next = "check whether it runs on the control plane, then run the same command again: it continues here";
    throw new ClusterFailure(`${error.message}, for ${AWAY_SECONDS} s`, next);
  }
}

/** For waits across restarts of the API server: while it is away the wait continues, any other error is a failure. */
export async function whileAway(look: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await look();
  } catch (error) {
    if (isAwayOrStarting(error)) return error.message;
    throw error;
  }
}
