import { z } from "zod";
import { list, metadata } from "./metadata.ts";

// discovery.k8s.io/v1

const hint = z.object({ name: z.string() });
const conditions = z
  .object({
    ready: z.boolean().nullish(),
    serving: z.boolean().nullish(),
    terminating: z.boolean().nullish(),
  })
  .nullish();
type Conditions = z.infer<typeof conditions>;

/** Each combination once: a hundred thousand endpoints share a few. */
const combinations = new Map<string, Conditions>();

function shared(all: Conditions): Conditions {
  if (!all) return all;
  const text = `${all.ready} ${all.serving} ${all.terminating}`;
  const known = combinations.get(text);
  if (!known) combinations.set(text, all);
  return known ?? all;
}

const endpoint = z.object({
  addresses: list(z.string()),
  nodeName: z.string().nullish(),
  hints: z.object({ forNodes: list(hint), forZones: list(hint) }).nullish(),
  conditions: conditions.transform(shared).optional(),
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
