import { readFileSync } from "node:fs";
import { z } from "zod";

/** Where the node agent lists the pods of its node. */
export const endpointsFile = "/run/ebpf-dataplane/endpoints.json";

const endpointSchema = z.looseObject({ namespace: z.string(), pod: z.string(), netns: z.string() });
const endpointsSchema = z.union([
  z.array(endpointSchema),
  z.looseObject({ endpoints: z.array(endpointSchema) }).transform(({ endpoints }) => endpoints),
]);

/** The path of a pod's network namespace on this node. Rejects, in words, a pod this node does not have. */
export function namespaceOf(pod: string, file = endpointsFile): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    throw new Error(`pod ${pod}: ${file} cannot be read; is the node agent running on this node?`);
  }
  const endpoint = endpointsSchema
    .parse(JSON.parse(text))
    .find(({ namespace, pod: name }) => `${namespace}/${name}` === pod);
  if (!endpoint) throw new Error(`pod ${pod} has no network interface on this node yet`);
  return endpoint.netns;
}
