import { type InputPlace, refuseBecause } from "../refusal/refusal.ts";
import { upgradeRefusal } from "../release/kubernetes-release.ts";

/** Refuses a release to which the running one cannot be upgraded. If the cluster exists, the preview already knows which release it
 * runs.
 * @param join the parameter that the control plane writes for workers: token, hash of the authority, release */
export function requireWay(place: InputPlace, join: string, release: string): void {
  const [, , running] = join.split(/\s+/);
  const refusal =
    running?.startsWith("v") && upgradeRefusal([{ name: "the control plane", release: running }], release);
  if (refusal) refuseBecause(place, refusal);
}
