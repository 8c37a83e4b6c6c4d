import { type InputPlace, refuse } from "../refusal/refusal.ts";
import { ANY_RELEASE, isRelease } from "./kubernetes-release.ts";

/** Refuses what is no release of Kubernetes that nodes could be made with. */
export function requireRelease(place: InputPlace, release: string): string {
  return isRelease(release) ? release : refuse(place, release, ANY_RELEASE);
}
