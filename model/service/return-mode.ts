import { calicoReturnModes, type ReturnMode, returnModeOf, serviceAnnotations } from "../mode/mode.ts";
import type { Service } from "../objects/core.ts";

const PATH = `metadata.annotations[${serviceAnnotations.returnMode}]`;

/** How replies of this Service return to clients outside the cluster; undefined: as the cluster's do. */
export function returnModeOfService(service: Service): ReturnMode | undefined {
  const word = calicoReturnModes.find((known) => known === written(service));
  return word && returnModeOf(word);
}

/** What is wrong with the annotation; undefined: nothing. */
export function returnModeProblem(service: Service): { path: string; message: string } | undefined {
  const text = written(service);
  if (text === undefined || returnModeOfService(service)) return undefined;
  const message = `"${text.slice(0, 50)}" is not a return mode; allowed are ${calicoReturnModes.join(" and ")}. The cluster's mode is used until that is mended.`;
  return { path: PATH, message };
}

function written({ metadata }: Service): string | undefined {
  return metadata.annotations?.[serviceAnnotations.returnMode];
}
