import { z } from "zod";
import { distinct } from "./fields.ts";
import { named } from "./policies.ts";
import { readNet } from "./values.ts";

// projectcalico.org/v3 NetworkSet and GlobalNetworkSet: labels on networks, by which rules select them.

/** A block or a single address, read as a block; host bits are cleared, as Calico does. */
const member = z.string().transform((text, context) => {
  const read = readNet(text);
  if (read) return read.text;
  context.addIssue(
    `"${text}" is neither an address nor a CIDR; expected the form 192.0.2.7, 10.244.0.0/16 or fd00::/64`,
  );
  return z.NEVER;
});

const RESERVED = "projectcalico.org/namespace";

export const networkSet = z
  .object({
    metadata: named("object"),
    spec: z
      .strictObject({ nets: distinct(member).nullish() })
      .nullish()
      .transform((spec) => ({ nets: spec?.nets ?? [] })),
  })
  .superRefine(({ metadata }, context) => {
    if (metadata.labels && Object.hasOwn(metadata.labels, RESERVED))
      context.addIssue({ code: "custom", path: ["metadata", "labels", RESERVED], message: "is reserved" });
  });
export type NetworkSet = z.output<typeof networkSet>;
