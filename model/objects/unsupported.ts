import { z } from "zod";
import { metadata } from "./metadata.ts";

/** An object of a kind that means something to people but nothing to this dataplane yet: always refused, so that nobody
 * believes it in force. */
export const unsupported = z.object({
  metadata,
  spec: z.undefined({
    error: "not supported yet; nothing of this object is in force. Use networking.k8s.io/v1 NetworkPolicy.",
  }),
});
