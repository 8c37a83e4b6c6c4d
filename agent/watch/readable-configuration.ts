import { z } from "zod";
import { type FelixConfiguration, felixConfiguration } from "../../model/objects/calico.ts";

const parts = z.object({
  metadata: z.looseObject({ annotations: z.record(z.string(), z.unknown()).nullish() }),
  spec: z.record(z.string(), z.unknown()).nullish(),
});

/** Reads an invalid FelixConfiguration: its valid fields, and the last valid value of the others. Some
 * fields restrict (external IPs), and an absent one allows: one misspelt word must not disable the other restrictions. */
export function readableConfiguration(object: unknown, known?: unknown): FelixConfiguration | undefined {
  const read = parts.safeParse(object);
  if (!read.success) return undefined;
  const good = felixConfiguration.safeParse(known).data;
  const { annotations: all, ...metadata } = read.data.metadata;
  const annotations = readable(all ?? {}, good?.metadata.annotations ?? {}, (one) => ({
    metadata: { ...metadata, annotations: one },
  }));
  const spec = readable(read.data.spec ?? {}, good?.spec ?? {}, (one) => ({ metadata, spec: one }));
  return felixConfiguration.safeParse({ metadata: { ...metadata, annotations }, spec }).data;
}

function readable(
  fields: Readonly<Record<string, unknown>>,
  known: Readonly<Record<string, unknown>>,
  within: (field: object) => object,
): object {
  const good = Object.entries(fields).flatMap(([name, value]) => {
    if (felixConfiguration.safeParse(within({ [name]: value })).success) return [[name, value]];
    return name in known ? [[name, known[name]]] : [];
  });
  return Object.fromEntries(good);
}
