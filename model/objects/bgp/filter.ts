import { z } from "zod";
import { type Family, parseCidr } from "../../address/address.ts";
import { oneOf } from "../calico-policy/fields.ts";
import { cidr } from "../cidr.ts";
import { metadata } from "../metadata.ts";

// projectcalico.org/v3 BGPFilter: which routes a BGPPeer's sessions take and give. The first rule that means a route decides.

const MOST_RULES = 256;

const rulesOf = (family: Family) => {
  const longest = family === "IPv4" ? 32 : 128;
  const length = z.int().min(0).max(longest);
  const rule = z
    .strictObject({
      action: oneOf("Accept", "Reject"),
      cidr: cidr
        .refine((text) => parseCidr(text).family === family, { error: `must be a network of ${family}` })
        .nullish(),
      matchOperator: oneOf("Equal", "NotEqual", "In", "NotIn").nullish(),
      prefixLength: z.strictObject({ min: length.nullish(), max: length.nullish() }).nullish(),
      source: oneOf("RemotePeers").nullish(),
      peerType: oneOf("eBGP", "iBGP").nullish(),
    })
    .superRefine((spec, context) => {
      const refuse = (field: string, message: string) => context.addIssue({ code: "custom", path: [field], message });
      if (Boolean(spec.cidr) !== Boolean(spec.matchOperator))
        refuse(spec.cidr ? "matchOperator" : "cidr", "cidr and matchOperator stand together");
      if (!spec.prefixLength) return;
      const { min, max } = spec.prefixLength;
      if (spec.matchOperator !== "In" && spec.matchOperator !== "NotIn")
        refuse("prefixLength", "needs matchOperator In or NotIn beside it");
      if (min != null && max != null && min > max) refuse("prefixLength", "min must be at most max");
    });
  return z
    .array(rule)
    .max(MOST_RULES, { error: `allowed are ${MOST_RULES} rules` })
    .nullish()
    .transform((rules) => rules ?? []);
};

export const bgpFilter = z.object({
  metadata,
  spec: z.strictObject({
    importV4: rulesOf("IPv4"),
    exportV4: rulesOf("IPv4"),
    importV6: rulesOf("IPv6"),
    exportV6: rulesOf("IPv6"),
  }),
});
export type BgpFilter = z.output<typeof bgpFilter>;
export type BgpFilterRule = BgpFilter["spec"]["importV4"][number];
