import { z } from "zod";
import { canonicalAddress, familyOf, useOf } from "../address/address.ts";
import { refused, selector } from "./calico-policy/fields.ts";
import { cidr } from "./cidr.ts";
import { metadata } from "./metadata.ts";

// This project's EgressGateway: the node from which some pods leave the cluster.

const MOST_NETWORKS = 64;

const networks = z
  .array(cidr)
  .max(MOST_NETWORKS, { error: `allowed are ${MOST_NETWORKS} networks` })
  .nullish()
  .transform((all) => all ?? []);

/** What a node can have as its own towards others. */
const ownAddress = refused(z.string(), (text) => {
  const address = canonicalAddress(text);
  if (address === undefined) return `"${text}" is no address; expected the form 192.0.2.10 or 2001:db8::10`;
  return ["unicast", "private", "uniqueLocal", "carrierGradeNat", "reserved"].includes(useOf(address))
    ? undefined
    : `${text} is no address that other hosts can answer`;
}).transform((text) => canonicalAddress(text) ?? text);

export const egressGateway = z.object({
  metadata,
  spec: z
    .strictObject({
      namespaceSelector: selector(),
      podSelector: selector(),
      nodeSelector: selector(),
      destinations: networks,
      exceptions: networks,
      addresses: z
        .array(ownAddress)
        .refine((all) => new Set(all.map(familyOf)).size === all.length, { error: "allowed is one of each family" })
        .nullish()
        .transform((all) => all ?? []),
    })
    .superRefine(({ namespaceSelector, podSelector, nodeSelector }, context) => {
      const refuse = (field: string, message: string) => context.addIssue({ code: "custom", path: [field], message });
      if (!namespaceSelector && !podSelector)
        refuse("podSelector", 'needs podSelector or namespaceSelector; "all()" means every pod');
      if (!nodeSelector) refuse("nodeSelector", 'needs the nodes that may be the gateway; "all()" means every node');
    }),
});
export type EgressGateway = z.output<typeof egressGateway>;
