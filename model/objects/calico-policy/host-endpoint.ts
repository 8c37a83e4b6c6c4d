import { z } from "zod";
import { canonicalAddress } from "../../address/address.ts";
import { distinct, objectName, protocol, refused, unique } from "./fields.ts";
import { named } from "./policies.ts";
import { hasPorts, hostPortNameFault, protocolOf } from "./values.ts";

// projectcalico.org/v3 HostEndpoint: a node's interface, or all of them, with labels that policies select by.

/** The profile that allows all traffic that no policy applies to. There are no other profiles here. */
export const ALLOW_PROFILE = "projectcalico-default-allow";

const INTERFACE = /^(?:\*|[a-zA-Z0-9_.-]{1,15})$/;

const address = z.string().transform((text, context) => {
  const read = canonicalAddress(text);
  if (read !== undefined) return read;
  context.addIssue(`"${text}" is no address`);
  return z.NEVER;
});

const port = z
  .strictObject({
    name: refused(z.string(), hostPortNameFault),
    protocol: refused(protocol, (written) =>
      hasPorts(protocolOf(written) ?? 0) ? undefined : "allowed are TCP, UDP and SCTP: other protocols have no ports",
    ),
    port: z.int().min(1).max(65_535),
  })
  .transform(({ name, protocol, port }) => ({ name, protocol: protocolOf(protocol) as number, port }));

export const hostEndpoint = z.object({
  metadata: named("object"),
  spec: z
    .strictObject({
      node: objectName,
      interfaceName: z.string().regex(INTERFACE, { error: 'allowed are "*" and the name of an interface' }).nullish(),
      expectedIPs: distinct(address).nullish(),
      profiles: unique(
        z.literal(ALLOW_PROFILE, { error: `only ${ALLOW_PROFILE}: other profiles are not supported` }),
      ).nullish(),
      ports: z.array(port).nullish(),
    })
    .refine(({ interfaceName, expectedIPs }) => interfaceName || expectedIPs?.length, {
      error: "needs interfaceName or expectedIPs",
    })
    .transform(({ node, interfaceName, expectedIPs, profiles, ports }) => ({
      node,
      /** "*": all interfaces of the node; absent: the one that has one of the addresses. */
      interfaceName: interfaceName || undefined,
      expectedIPs: expectedIPs ?? [],
      /** What happens to traffic that no policy applies to. */
      otherwise: profiles?.length ? ("allow" as const) : ("deny" as const),
      /** Named ports, which rules may use. */
      ports: ports ?? [],
    })),
});
export type HostEndpoint = z.output<typeof hostEndpoint>;
