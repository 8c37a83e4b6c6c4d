import {
  type CalicoReturnMode,
  calicoReturnModes,
  type ReturnMode,
  returnModeOf,
  serviceAnnotations,
} from "../mode/mode.ts";
import type { Service } from "../objects/core.ts";

const PATH = `metadata.annotations[${serviceAnnotations.returnMode}]`;

/** How replies of this Service return to clients outside the cluster; undefined: as the cluster's do. */
export function returnModeOfService({ metadata }: Service): ReturnMode | undefined {
  const word = annotatedReturnMode(metadata.annotations);
  return word && returnModeOf(word);
}

/** The mode in a Service's annotations; undefined: none that can be read. */
export function annotatedReturnMode(annotations: Readonly<Record<string, string>> = {}): CalicoReturnMode | undefined {
  return calicoReturnModes.find((known) => known === annotations[serviceAnnotations.returnMode]);
}

/** What is wrong with the annotation; undefined: nothing. */
export function returnModeProblem(service: Service): { path: string; message: string } | undefined {
  const text = service.metadata.annotations?.[serviceAnnotations.returnMode];
  if (text === undefined || returnModeOfService(service)) return undefined;
  const message = `"${text.slice(0, 50)}" is not a return mode; allowed are ${calicoReturnModes.join(" and ")}. The cluster's mode is used until that is mended.`;
  return { path: PATH, message };
}
