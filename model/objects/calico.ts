import { z } from "zod";
import { cidr } from "./cidr.ts";
import { metadata } from "./metadata.ts";

// projectcalico.org/v3 and this project's IPAMBlock. A field that is not supported is refused with its path, so these
// specs are strict where core objects are not.

export const ipPool = z.object({
  metadata,
  spec: z.strictObject({
    cidr,
    blockSize: z.int().min(20).max(128).nullish(),
    vxlanMode: z.enum(["Always", "CrossSubnet", "Never"]).nullish(),
    ipipMode: z.literal("Never", { error: "only Never: IPIP is not supported, use vxlanMode" }).nullish(),
    natOutgoing: z.boolean().nullish(),
    disabled: z.boolean().nullish(),
    nodeSelector: z.literal("all()", { error: "only all(): pools serve every node" }).nullish(),
    allowedUses: z.array(z.literal("Workload", { error: "only Workload" })).nullish(),
  }),
});
export type IpPool = z.infer<typeof ipPool>;

export const ipamBlock = z.object({
  metadata,
  spec: z.object({ cidr, node: z.string().min(1), pool: z.string().min(1) }),
});
export type IpamBlock = z.infer<typeof ipamBlock>;

const OWN = "ebpf-dataplane.io/";

/** The component that writes it has the same name for it (components/dataplane/felix-configuration.ts); Calico has none. */
const SERVICE_HANDLING = "ebpf-dataplane.io/service-handling";
const serviceHandlings = ["Ebpf", "KubeProxyIptables", "KubeProxyNftables"] as const;

/** The same of whose sockets are given backends. */
const SOCKET_TRANSLATION = "ebpf-dataplane.io/socket-translation";
const socketTranslations = ["All", "HostOnly"] as const;

/** Which externalIPs of Services are served: Allow or Deny, and networks that Allow keeps to, with commas between them. A
 * text that cannot be read must not open anything, so it is judged where it is used. */
export const EXTERNAL_IPS = "ebpf-dataplane.io/external-ips";
export const EXTERNAL_IP_NETWORKS = "ebpf-dataplane.io/external-ip-networks";

const felixAnnotations = z.object({
  [SERVICE_HANDLING]: z.enum(serviceHandlings, { error: `allowed are ${serviceHandlings.join(", ")}` }).nullish(),
  [SOCKET_TRANSLATION]: z
    .enum(socketTranslations, {
      error: "allowed are All and HostOnly: host processes have no other way to Services",
    })
    .nullish(),
  [EXTERNAL_IPS]: z.string().nullish(),
  [EXTERNAL_IP_NETWORKS]: z.string().nullish(),
});

/** Of others' annotations nothing is known; one of ours that nobody reads is misspelt. */
const onlyKnown = z.record(z.string(), z.unknown()).superRefine((all, context) => {
  for (const name of Object.keys(all).filter((one) => one.startsWith(OWN) && !(one in felixAnnotations.shape)))
    context.addIssue({ code: "unrecognized_keys", keys: [name], input: all, message: `nobody reads "${name}"` });
});

export const felixConfiguration = z.object({
  metadata: metadata.extend({ annotations: onlyKnown.pipe(felixAnnotations).nullish() }),
  spec: z
    .strictObject({
      bpfExternalServiceMode: z.enum(["DSR", "Tunnel"], { error: "allowed are DSR and Tunnel" }).nullish(),
      bpfKubeProxyIptablesCleanupEnabled: z.boolean().nullish(),
      bpfConnectTimeLoadBalancing: z
        .enum(["TCP", "Enabled", "Disabled"], { error: "allowed are TCP, Enabled and Disabled" })
        .nullish(),
      bpfHostNetworkedNATWithoutCTLB: z
        .literal("Enabled", { error: "only Enabled: processes of the node always reach Services" })
        .nullish(),
      allowVXLANPacketsFromWorkloads: z.boolean().nullish(),
    })
    .nullish()
    .transform((spec) => spec ?? {}),
});
export type FelixConfiguration = z.infer<typeof felixConfiguration>;

/** Who handles services. */
export function serviceHandlingOf({ metadata }: FelixConfiguration): (typeof serviceHandlings)[number] {
  return metadata.annotations?.[SERVICE_HANDLING] ?? "Ebpf";
}

/** Whose sockets are given a backend when they connect. Calico's word for "not the pods'" is Disabled; its
 * TCP and Enabled differ in who translates datagrams, not in where they go. */
export function socketTranslationOf({ metadata, spec }: FelixConfiguration): (typeof socketTranslations)[number] {
  const own = metadata.annotations?.[SOCKET_TRANSLATION];
  return own ?? (spec.bpfConnectTimeLoadBalancing === "Disabled" ? "HostOnly" : "All");
}

/** Whether services are this dataplane's; otherwise kube-proxy runs beside it. */
export function handlesServices(configuration: FelixConfiguration): boolean {
  return serviceHandlingOf(configuration) === "Ebpf";
}
