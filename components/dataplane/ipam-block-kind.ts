import { kinds } from "../../model/objects/kinds.ts";
import type { KindDefinition } from "./definition.ts";

/** A network: CEL checks what a pattern cannot (Kubernetes 1.31's CIDR library, which refuses IPv4-mapped addresses). */
export const CIDR = {
  type: "string",
  maxLength: 43,
  x_kubernetes_validations: [
    {
      rule: "isCIDR(self) && cidr(self) == cidr(self).masked()",
      message: "must be a network whose host bits are zero, like 10.244.0.0/16 or fd00:10:244::/56",
    },
  ],
};

/** This project's own kind: the addresses that a node may assign. */
export const IPAM_BLOCK: KindDefinition = {
  ...kinds.ipamBlocks,
  columns: { CIDR: ".spec.cidr", Node: ".spec.node", Pool: ".spec.pool" },
  spec: {
    type: "object",
    required: ["cidr", "node", "pool"],
    properties: {
      cidr: { ...CIDR, description: "The block." },
      node: {
        type: "string",
        minLength: 1,
        maxLength: 253,
        description: "Node that gives the block's addresses to its pods.",
      },
      pool: { type: "string", minLength: 1, maxLength: 253, description: "IPPool the block is a part of." },
      borrows: {
        type: "string",
        enum: ["Any", "This"],
        description: "Not a block, but the node's request for an address of another node's: any of cidr, or this one.",
      },
      lent: {
        type: "array",
        maxItems: 4096,
        description: "Addresses of the block that other nodes give to their pods.",
        items: {
          type: "object",
          required: ["address", "node", "request"],
          properties: {
            address: { type: "string", minLength: 1, maxLength: 45, description: "The address." },
            node: { type: "string", minLength: 1, maxLength: 253, description: "Node that has it." },
            request: { type: "string", minLength: 1, maxLength: 253, description: "uid of that node's request." },
          },
        },
      },
    },
    x_kubernetes_validations: [
      {
        rule: "self.cidr == oldSelf.cidr && self.node == oldSelf.node && self.pool == oldSelf.pool && has(self.borrows) == has(oldSelf.borrows) && (!has(self.borrows) || self.borrows == oldSelf.borrows)",
        message: "a block never changes, but for what it lends: delete it and claim another",
      },
    ],
  },
};
