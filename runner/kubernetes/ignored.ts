// ignoreChanges without state: fields at these paths keep the cluster's values.
import type { ApiObject } from "../../kubernetes/object.ts";
import { RunnerFailure } from "../failure.ts";

/** `spec.replicas`, `metadata.annotations["example.com/x"]`, `spec.containers[0].image`, `data[*]`. */
const SEGMENT = /\.?([^.[\]"]+)|\["((?:[^"\\]|\\.)+)"\]|\[(\d+|\*)\]/y;

/** The object with the cluster's values at these paths; without a value where the cluster has none.
 * @param live the object as it is stored */
export function withPresent(object: ApiObject, live: ApiObject, paths: string[]): ApiObject {
  const result = structuredClone(object);
  for (const path of paths) keepLiveValue(result, live, segmentsOf(path));
  return result;
}

function segmentsOf(path: string): string[] {
  const segments: string[] = [];
  SEGMENT.lastIndex = 0;
  for (let at = 0; at < path.length; at = SEGMENT.lastIndex) {
    const found = SEGMENT.exec(path);
    if (!found)
      throw new RunnerFailure(`ignoreChanges has ${JSON.stringify(path)}, which is no path of a property`, {
        next: 'write it like spec.replicas or metadata.annotations["example.com/x"]',
        exitCode: 2,
      });
    segments.push(found[1] ?? found[2]?.replace(/\\(.)/g, "$1") ?? (found[3] as string));
  }
  return segments;
}

function keepLiveValue(wanted: unknown, live: unknown, [key, ...rest]: string[]): void {
  if (key === undefined || !isContainer(wanted)) return;
  if (key === "*") {
    const names = new Set([...Object.keys(wanted), ...(isContainer(live) ? Object.keys(live) : [])]);
    for (const name of names) keepLiveValue(wanted, live, [name, ...rest]);
    return;
  }
  const present = isContainer(live) && Object.hasOwn(live, key) ? live[key] : undefined;
  if (rest.length > 0) {
    if (wanted[key] === undefined && isContainer(present)) wanted[key] = Array.isArray(present) ? [] : {};
    keepLiveValue(wanted[key], present, rest);
  } else if (present !== undefined) wanted[key] = structuredClone(present);
  else if (!Array.isArray(wanted)) delete wanted[key];
}

type Container = Record<string, unknown>;

const isContainer = (value: unknown): value is Container => typeof value === "object" && value !== null;
