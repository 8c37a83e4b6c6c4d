import { z } from "zod";
import { list, metadata } from "./metadata.ts";

// discovery.k8s.io/v1

const hint = z.object({ name: z.string() });
const endpoint = z.object({
  addresses: list(z.string()),
  nodeName: z.string().nullish(),
  hints: z.object({ forNodes: list(hint), forZones: list(hint) }).nullish(),
  conditions: z
    .object({
      ready: z.boolean().nullish(),
      serving: z.boolean().nullish(),
      terminating: z.boolean().nullish(),
    })
    .nullish(),
});
export type SliceEndpoint = z.infer<typeof endpoint>;

export const endpointSlice = z.object({
  metadata,
  addressType: z.enum(["IPv4", "IPv6", "FQDN"]),
  endpoints: list(endpoint),
  ports: list(
    z.object({ name: z.string().nullish(), protocol: z.string().nullish(), port: z.int().min(0).max(65535).nullish() }),
  ),
});
export type EndpointSlice = z.infer<typeof endpointSlice>;

/** The Service an EndpointSlice belongs to, by this label. */
export const serviceNameLabel = "kubernetes.io/service-name";
