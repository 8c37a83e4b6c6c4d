import { BLOCK_SIZES } from "../../model/objects/block-size.ts";
import { kinds } from "../../model/objects/kinds.ts";
import type { KindDefinition } from "./definition.ts";
import { CIDR } from "./ipam-block-kind.ts";
import { SELECTOR } from "./rule-schema.ts";

const { IPv4, IPv6 } = BLOCK_SIZES;

const FOR_LOAD_BALANCERS = (pool: string) =>
  `(has(${pool}.allowedUses) && ${pool}.allowedUses.exists(use, use == 'LoadBalancer'))`;

/** The schema has no default, because it would depend on the address family. */
const BLOCK_SIZE = (pool: string) =>
  `(has(${pool}.blockSize) ? ${pool}.blockSize : isCIDR(${pool}.cidr) && cidr(${pool}.cidr).ip().family() == 6 ? ${IPv6.usual} : ${IPv4.usual})`;

export const IP_POOL: KindDefinition = {
  ...kinds.ipPools,
  columns: {
    CIDR: ".spec.cidr",
    VXLAN: ".spec.vxlanMode",
    IPIP: ".spec.ipipMode",
    "NAT outgoing": ".spec.natOutgoing",
  },
  spec: {
    type: "object",
    required: ["cidr"],
    properties: {
      cidr: { ...CIDR, description: "Network that pods' addresses come from." },
      blockSize: {
        type: "integer",
        minimum: IPv4.least,
        maximum: IPv6.most,
        description: `Prefix length of a node's block. Without it ${IPv4.usual}, of IPv6 ${IPv6.usual}.`,
      },
      // A default would contradict a manifest that sets ipipMode and leaves out the other mode.
      vxlanMode: {
        type: "string",
        enum: ["Always", "CrossSubnet", "Never"],
        description: "When packets between pods travel in VXLAN. Without it and ipipMode CrossSubnet.",
      },
      ipipMode: {
        type: "string",
        enum: ["Always", "CrossSubnet", "Never"],
        description: "When packets between pods travel in IPIP, of IPv4 alone; vxlanMode is Never then.",
      },
      natOutgoing: {
        type: "boolean",
        default: false,
        description: "Connections leaving all pools get the node's address.",
      },
      disabled: { type: "boolean", default: false, description: "The pool gives no new addresses." },
      nodeSelector: { ...SELECTOR, description: "Nodes whose pods get addresses." },
      namespaceSelector: { ...SELECTOR, description: "Namespaces whose pods get addresses." },
      allowedUses: {
        type: "array",
        maxItems: 3,
        items: { type: "string", enum: ["Workload", "Tunnel", "LoadBalancer"] },
        description: "Who has the addresses: pods, or Services of type LoadBalancer. Tunnels need none.",
      },
      assignmentMode: {
        type: "string",
        enum: ["Automatic", "Manual"],
        description: "Manual: only pods that name the pool, or whose namespace does.",
      },
      disableBGPExport: { type: "boolean", description: "Its blocks are not announced by BGP." },
    },
    x_kubernetes_validations: [
      {
        rule: "!has(self.blockSize) || !isCIDR(self.cidr) || self.blockSize >= cidr(self.cidr).prefixLength()",
        message: "blockSize must be at least the prefix length of cidr",
      },
      {
        rule: `!has(self.blockSize) || !isCIDR(self.cidr) || (cidr(self.cidr).ip().family() == 4 ? self.blockSize <= ${IPv4.most} : self.blockSize >= ${IPv6.least})`,
        message: `blockSize must be from ${IPv4.least} to ${IPv4.most}, in an IPv6 network from ${IPv6.least} to ${IPv6.most} (${IPv6.usual} is usual)`,
      },
      {
        rule: "!has(self.ipipMode) || self.ipipMode == 'Never' || !has(self.vxlanMode) || self.vxlanMode == 'Never'",
        message: "ipipMode and vxlanMode are both set: set one of them to Never",
      },
      {
        rule: "!has(self.ipipMode) || self.ipipMode == 'Never' || !isCIDR(self.cidr) || cidr(self.cidr).ip().family() == 4",
        message: "ipipMode is of IPv4 alone: use vxlanMode for a pool of IPv6",
      },
      { rule: "self.cidr == oldSelf.cidr", message: "cidr cannot change: make another pool and disable this one" },
      {
        rule: `${FOR_LOAD_BALANCERS("self")} == ${FOR_LOAD_BALANCERS("oldSelf")}`,
        message: "the use of a pool cannot change: make another pool and disable this one",
      },
      {
        rule: `${BLOCK_SIZE("self")} == ${BLOCK_SIZE("oldSelf")}`,
        message: "blockSize cannot change: make another pool",
      },
      {
        rule: `!${FOR_LOAD_BALANCERS("self")} || self.allowedUses.size() == 1`,
        message: "allowedUses: LoadBalancer stands alone",
      },
      {
        rule: `!${FOR_LOAD_BALANCERS("self")} || !(has(self.nodeSelector) && self.nodeSelector != 'all()' || has(self.namespaceSelector) && self.namespaceSelector != 'all()' || has(self.assignmentMode) && self.assignmentMode == 'Manual')`,
        message: "a pool for LoadBalancer has no nodeSelector, no namespaceSelector and no assignmentMode Manual",
      },
    ],
  },
};
