import { z } from "zod";
import { distinct, objectName, oneOf, selector } from "../calico-policy/fields.ts";
import { metadata } from "../metadata.ts";
import { asNumber, password, peerAddress, restartTime } from "./fields.ts";

// projectcalico.org/v3 BGPPeer: with whom which nodes speak BGP.

const MOST_FILTERS = 64;

export const bgpPeer = z.object({
  metadata,
  spec: z
    .strictObject({
      node: objectName.nullish(),
      nodeSelector: selector(),
      peerIP: z
        .string()
        .nullish()
        .transform((text) => text || undefined)
        .pipe(peerAddress.optional()),
      asNumber: asNumber.nullish(),
      peerSelector: selector(),
      keepOriginalNextHop: z.boolean().nullish(),
      nextHopMode: oneOf("Auto", "Self", "Keep").nullish(),
      password: password.nullish(),
      sourceAddress: oneOf("UseNodeIP", "None").nullish(),
      maxRestartTime: restartTime.nullish(),
      numAllowedLocalASNumbers: z.int().min(0).max(255).nullish(),
      localASNumber: asNumber.nullish(),
      ttlSecurity: z.int().min(1).max(254).nullish(),
      reversePeering: oneOf("Auto", "Manual").nullish(),
      failureDetectionMode: oneOf("None", "BFDIfDirectlyConnected").nullish(),
      filters: distinct(objectName, MOST_FILTERS).nullish(),
    })
    .superRefine((spec, context) => {
      const refuse = (field: string, message: string) => context.addIssue({ code: "custom", path: [field], message });
      if (spec.node && spec.nodeSelector) refuse("nodeSelector", "cannot stand beside node");
      if (spec.keepOriginalNextHop && spec.nextHopMode)
        refuse("nextHopMode", "cannot stand beside keepOriginalNextHop");
      if (spec.failureDetectionMode === "BFDIfDirectlyConnected" && spec.ttlSecurity)
        refuse("failureDetectionMode", "cannot stand beside ttlSecurity: BFD checks the TTL itself");
      if (spec.peerSelector) {
        if (spec.peerIP) refuse("peerIP", "cannot stand beside peerSelector");
        if (spec.asNumber) refuse("asNumber", "cannot stand beside peerSelector: nodes have their own");
      } else if (!spec.peerIP) refuse("peerIP", "needs peerIP or peerSelector");
      else if (!spec.asNumber) refuse("asNumber", "needs the peer's AS number");
    }),
});
export type BgpPeer = z.output<typeof bgpPeer>;
