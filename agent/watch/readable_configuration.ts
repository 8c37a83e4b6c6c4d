import { z } from "zod";
import { type FelixConfiguration, felixConfiguration } from "../api/calico.ts";

const parts = z.object({
  metadata: z.looseObject({ annotations: z.record(z.string(), z.unknown()).nullish() }),
  spec: z.record(z.string(), z.unknown()).nullish(),
});

/** A FelixConfiguration that cannot be read as a whole, without the fields that cannot. Some of it restricts (external IPs),
 * and what is absent is allowed: one misspelt word must not open the rest. */
export function readableConfiguration(object: unknown): FelixConfiguration | undefined {
  const read = parts.safeParse(object);
  if (!read.success) return undefined;
  const { annotations: all, ...metadata } = read.data.metadata;
  const annotations = readable(all ?? {}, (one) => ({ metadata: { ...metadata, annotations: one } }));
  const spec = readable(read.data.spec ?? {}, (one) => ({ metadata, spec: one }));
  return felixConfiguration.safeParse({ metadata: { ...metadata, annotations }, spec }).data;
}

function readable(fields: object, within: (field: object) => object): object {
  const good = Object.entries(fields).filter(
    ([name, value]) => felixConfiguration.safeParse(within({ [name]: value })).success,
  );
  return Object.fromEntries(good);
}
