import { z } from "zod";
import { oneOf } from "../calico-policy/fields.ts";
import { cidr } from "../cidr.ts";
import { list, metadata } from "../metadata.ts";
import { asNumber, communityValue, password, port, restartTime } from "./fields.ts";

// projectcalico.org/v3 BGPConfiguration "default": how nodes speak BGP, and which addresses of Services they announce.

const MOST_NETWORKS = 256;
const NETWORKS = { error: `allowed are ${MOST_NETWORKS} networks` };
const networks = z
  .array(z.strictObject({ cidr }).transform((network) => network.cidr))
  .max(MOST_NETWORKS, NETWORKS)
  .nullish()
  .transform((all) => [...new Set(all ?? [])]);

const communityName = z
  .string()
  .regex(/^[a-zA-Z0-9_.-]{1,128}$/, { error: 'allowed are letters, digits, "_", "." and "-"' });

export const bgpConfiguration = z.object({
  metadata,
  spec: z
    .strictObject({
      // BIRD's own log is only read for what keeps it from starting.
      logSeverityScreen: z.string().nullish(),
      nodeToNodeMeshEnabled: z.boolean().nullish(),
      asNumber: asNumber.nullish(),
      listenPort: port.nullish(),
      bindMode: z.literal("NodeIP", { error: "only NodeIP: BIRD listens at the node's own addresses" }).nullish(),
      nodeMeshPassword: password.nullish(),
      nodeMeshMaxRestartTime: restartTime.nullish(),
      serviceClusterIPs: networks,
      serviceExternalIPs: networks,
      serviceLoadBalancerIPs: networks,
      serviceLoadBalancerAggregation: oneOf("Enabled", "Disabled").nullish(),
      communities: list(z.strictObject({ name: communityName, value: communityValue })),
      prefixAdvertisements: list(z.strictObject({ cidr, communities: z.array(z.string()) })),
    })
    .superRefine(({ communities, prefixAdvertisements }, context) => {
      const names = new Set(communities.map(({ name }) => name));
      prefixAdvertisements.forEach((advertisement, index) => {
        advertisement.communities.forEach((community, at) => {
          if (names.has(community) || communityValue.safeParse(community).success) return;
          const message = `"${community}" is neither a community nor the name of one in spec.communities`;
          context.addIssue({ code: "custom", path: ["prefixAdvertisements", index, "communities", at], message });
        });
      });
    }),
});
export type BgpConfiguration = z.output<typeof bgpConfiguration>;
