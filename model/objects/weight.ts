/** A Pod's annotation: how many of a Service's new connections it gets, in relation to the Service's other pods. */
export const WEIGHT = "ebpf-dataplane.io/weight";

const MOST = 100;

/** What the annotation says; undefined: nothing, or nothing that is understood. */
export function weightIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,3}$/.test(text) && Number(text) <= MOST ? Number(text) : undefined;
}

/** What is wrong with the text of such an annotation. */
export function weightProblem(text: string): string | undefined {
  if (weightIn(text) !== undefined) return undefined;
  return `${JSON.stringify(text.slice(0, 40))} is not followed, and the pod weighs 1: it must be a whole number from 0 (no new connections while others have more) to ${MOST}.`;
}
