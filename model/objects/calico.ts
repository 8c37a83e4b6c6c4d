import { z } from "zod";
import { canonicalAddress, familyOf, hostCidr, parseCidr, readCidr } from "../address/address.ts";
import { mapSizeFields } from "../mode/map-sizes.ts";
import { annotations, calicoReturnModes, serviceHandlings, socketTranslations, xdpModes } from "../mode/mode.ts";
import { BLOCK_SIZES } from "./block-size.ts";
import { distinct, oneOf, selector } from "./calico-policy/fields.ts";
import { cidr } from "./cidr.ts";
import { LONGEST_INTERVAL, SHORTEST_INTERVAL, secondsOf } from "./interval.ts";
import { list, metadata } from "./metadata.ts";

// projectcalico.org/v3 and this project's IPAMBlock. A field that is not supported is refused with its path, so these
// specs are strict where core objects are not.

/** Networks of one IPReservation. */
const RESERVED_LIMIT = 4_096;

/** Which pods get addresses of a pool: load balancers' has no pods. */
const OF_PODS = ["nodeSelector", "namespaceSelector", "assignmentMode"] as const;

export const ipPool = z.object({
  metadata,
  spec: z
    .strictObject({
      cidr,
      blockSize: z.int().nullish(),
      vxlanMode: z.enum(["Always", "CrossSubnet", "Never"]).nullish(),
      ipipMode: z.enum(["Always", "CrossSubnet", "Never"]).nullish(),
      natOutgoing: z.boolean().nullish(),
      disabled: z.boolean().nullish(),
      nodeSelector: selector(),
      namespaceSelector: selector(),
      allowedUses: distinct(oneOf("Workload", "Tunnel", "LoadBalancer"))
        .refine((uses) => uses.length < 2 || !uses.includes("LoadBalancer"), {
          error: "LoadBalancer stands alone: addresses of load balancers are nobody else's",
        })
        .nullish(),
      assignmentMode: oneOf("Automatic", "Manual").nullish(),
      disableBGPExport: z.boolean().nullish(),
    })
    .superRefine(({ cidr, ipipMode, vxlanMode }, context) => {
      if ((ipipMode ?? "Never") === "Never") return;
      const refuse = (message: string) => context.addIssue({ code: "custom", path: ["ipipMode"], message });
      if ((vxlanMode ?? "Never") !== "Never") refuse("vxlanMode is set as well: set one of them to Never");
      if (cidr.includes(":")) refuse("IPIP is of IPv4 alone: use vxlanMode for a pool of IPv6");
    })
    .superRefine(({ cidr, blockSize }, context) => {
      const { family } = parseCidr(cidr);
      const { least, most } = BLOCK_SIZES[family];
      if (blockSize == null || (blockSize >= least && blockSize <= most)) return;
      const message = `is ${blockSize}; allowed are ${least} to ${most} in a pool of ${family}`;
      context.addIssue({ code: "custom", path: ["blockSize"], message });
    })
    .superRefine((spec, context) => {
      if (!spec.allowedUses?.includes("LoadBalancer")) return;
      for (const field of OF_PODS)
        if (![undefined, null, "all()", "Automatic"].includes(spec[field]))
          context.addIssue({
            code: "custom",
            path: [field],
            message: "a pool for LoadBalancer has no pods: leave it out",
          });
    }),
});
export type IpPool = z.infer<typeof ipPool>;

/** An address or a network. */
const reserved = z.string().transform((text, context) => {
  const read = readCidr(text) ?? (familyOf(text) && hostCidr(text));
  if (read) return read.text;
  context.addIssue(
    `"${text}" is neither an address nor a CIDR; expected the form 10.244.0.7, 10.244.0.0/28 or fd00::/64`,
  );
  return z.NEVER;
});

export const ipReservation = z.object({
  metadata,
  spec: z
    .strictObject({
      reservedCIDRs: list(reserved.pipe(z.string())).refine((all) => all.length <= RESERVED_LIMIT, {
        error: `allowed are ${RESERVED_LIMIT} networks: name larger ones`,
      }),
    })
    .nullish()
    .transform((spec) => spec ?? { reservedCIDRs: [] }),
});
export type IpReservation = z.infer<typeof ipReservation>;

/** An address of a block that another node has. */
const lentAddress = z.object({
  address: z.string().transform((text, context) => {
    const address = canonicalAddress(text);
    if (address === undefined) context.addIssue({ code: "custom", message: "must be an address" });
    return address ?? "";
  }),
  node: z.string().min(1),
  /** uid of the object by which that node asked. */
  request: z.string().min(1),
});

/** A part of a pool that a node has, or (`borrows`) a node's request for an address in the block of another one (pool/loans.ts). */
export const ipamBlock = z.object({
  metadata: metadata.extend({ resourceVersion: z.string().nullish() }),
  spec: z.object({
    cidr,
    node: z.string().min(1),
    pool: z.string().min(1),
    borrows: oneOf("Any", "This").nullish(),
    lent: list(lentAddress),
  }),
});
export type IpamBlock = z.infer<typeof ipamBlock>;

const OWN = "ebpf-dataplane.io/";

// Texts about externalIPs and node ports that cannot be parsed must not open anything, so they are handled where they are used.
const felixAnnotations = z.object({
  [annotations.serviceHandling]: z
    .enum(serviceHandlings, { error: `allowed are ${serviceHandlings.join(", ")}` })
    .nullish(),
  [annotations.socketTranslation]: z
    .enum(socketTranslations, {
      error: "allowed are All and HostOnly: host processes have no other way to Services",
    })
    .nullish(),
  [annotations.xdp]: z.enum(xdpModes, { error: "allowed are Disabled and Native" }).nullish(),
  [annotations.externalIps]: z.string().nullish(),
  [annotations.externalIpNetworks]: z.string().nullish(),
  [annotations.nodePortAddresses]: z.string().nullish(),
});

const FILES = { error: "allowed are 1 to 1000 files" };
const MEGABYTES = { error: "allowed are 1 to 10000 MB" };

/** "15s", "5m", "1h30m": metav1.Duration in whole seconds. */
const duration = z.string().refine((text) => secondsOf(text) !== undefined, {
  error: `allowed are ${SHORTEST_INTERVAL} to ${LONGEST_INTERVAL} seconds, such as 15s or 5m`,
});

const FAILSAFE_LIMIT = 1_024;

/** Ports that no host policy closes. Calico accepts protocols in any case. */
const failsafePorts = z
  .array(
    z.strictObject({
      protocol: z
        .string()
        .toUpperCase()
        .pipe(z.enum(["TCP", "UDP", "SCTP"], { error: "allowed are TCP, UDP and SCTP" })),
      port: z.int().min(0).max(65_535),
      net: cidr.nullish(),
    }),
  )
  .max(FAILSAFE_LIMIT, { error: `allowed are ${FAILSAFE_LIMIT} ports` });

/** Networks in bpfDSROptoutCIDRs; the nodes keep half of their room for source ranges free for such lists and for changes. */
const OPT_OUT_LIMIT = 4_096;

/** Annotations of other programs are ignored; an unknown one with our prefix is a misspelling. */
const onlyKnown = z.record(z.string(), z.unknown()).superRefine((all, context) => {
  for (const name of Object.keys(all).filter((one) => one.startsWith(OWN) && !(one in felixAnnotations.shape)))
    context.addIssue({
      code: "unrecognized_keys",
      keys: [name],
      input: all,
      message: `"${name}" is not a setting of this dataplane`,
    });
});

export const felixConfiguration = z.object({
  metadata: metadata.extend({ annotations: onlyKnown.pipe(felixAnnotations).nullish() }),
  spec: z
    .strictObject({
      bpfExternalServiceMode: z.enum(calicoReturnModes, { error: "allowed are DSR and Tunnel" }).nullish(),
      bpfKubeProxyIptablesCleanupEnabled: z.boolean().nullish(),
      bpfConnectTimeLoadBalancing: z
        .enum(["TCP", "Enabled", "Disabled"], { error: "allowed are TCP, Enabled and Disabled" })
        .nullish(),
      bpfHostNetworkedNATWithoutCTLB: z
        .literal("Enabled", { error: "only Enabled: processes of the node always reach Services" })
        .nullish(),
      bpfDSROptoutCIDRs: z
        .array(cidr)
        .max(OPT_OUT_LIMIT, { error: `allowed are ${OPT_OUT_LIMIT} networks: name larger ones` })
        .nullish(),
      allowVXLANPacketsFromWorkloads: z.boolean().nullish(),
      serviceLoopPrevention: oneOf("Drop", "Disabled").nullish(),
      wireguardEnabled: z.boolean().nullish(),
      ...mapSizeFields,
      failsafeInboundHostPorts: failsafePorts.nullish(),
      failsafeOutboundHostPorts: failsafePorts.nullish(),
      defaultEndpointToHostAction: z
        .enum(["Accept", "Drop", "Return"], { error: "allowed are Accept, Drop and Return" })
        .nullish(),
      flowLogsFileEnabled: z.boolean().nullish(),
      flowLogsFlushInterval: duration.nullish(),
      flowLogsLocalReporter: z.enum(["Enabled", "Disabled"], { error: "allowed are Enabled and Disabled" }).nullish(),
      flowLogsFileMaxFiles: z.int().min(1, FILES).max(1000, FILES).nullish(),
      flowLogsFileMaxFileSizeMB: z.int().min(1, MEGABYTES).max(10_000, MEGABYTES).nullish(),
    })
    .nullish()
    .transform((spec) => spec ?? {}),
});
export type FelixConfiguration = z.infer<typeof felixConfiguration>;
