import { type InputPlace, refuse } from "../refusal/refusal";
import { ANY_RELEASE, isRelease } from "./kubernetes-release";

/** Refuses what is no release of Kubernetes that nodes could be made with. */
export function requireRelease(place: InputPlace, release: string): string {
  return isRelease(release) ? release : refuse(place, release, ANY_RELEASE);
}
