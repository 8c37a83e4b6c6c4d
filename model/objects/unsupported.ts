import { z } from "zod";
import { metadata } from "./metadata.ts";

/** An object of a kind that this dataplane does not support yet: always refused, so that users do not believe it is in
 * force. */
export const unsupported = z.object({
  metadata,
  spec: z.undefined({
    error: "not supported yet; nothing of this object is in force. Use networking.k8s.io/v1 NetworkPolicy.",
  }),
});
