import { z } from "zod";
import type { KindName } from "./kinds.ts";
import { metadata } from "./metadata.ts";

/** Kinds that this dataplane does not follow yet: their objects are read to be reported, and are not in a snapshot. A kind leaves the
 * list when it is supported. */
export const notFollowedYet: ReadonlySet<KindName> = new Set<KindName>();

/** An object of a kind that this dataplane does not support yet: always refused, so that users do not believe it is in
 * force. */
export const unsupported = z.object({
  metadata,
  spec: z.undefined({
    error: "not supported yet; nothing of this object is in force. Use networking.k8s.io/v1 NetworkPolicy.",
  }),
});
