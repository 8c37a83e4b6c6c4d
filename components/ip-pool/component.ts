import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { requireArguments } from "../arguments/arguments";
import { componentType } from "../program/package-name";
import { argumentsOf, at, checked, type InputPlace, refuse } from "../refusal/refusal";
import { prefixLength, requireUnicastCidr } from "../values/addresses";
import { requireWhole } from "../values/choices";
import { requireObjectName } from "../values/names";

/** When a packet from pod to pod is carried in VXLAN (RFC 7348). */
export enum VxlanMode {
  /** Between any two nodes. */
  Always = "Always",
  /** Only between nodes of different subnets; nodes of one subnet route to each other. */
  CrossSubnet = "CrossSubnet",
  /** Never: the network between the nodes routes the pods' addresses. */
  Never = "Never",
}

/** Arguments of `IpPool`. */
export interface IpPoolArgs {
  /** Name of the IPPool object. Defaults to "default-ipv4-ippool". */
  name?: string;
  /** IPv4 network the pool gives addresses from; apart from other pools and the Services' network. Cannot change later. */
  cidr: pulumi.Input<string>;
  /** Prefix length of the blocks that nodes take from the pool, from 20 to 32. Cannot change later. Defaults to 26. */
  blockSize?: number;
  /** When packets between pods of this pool are encapsulated. Defaults to `CrossSubnet`. */
  vxlanMode?: VxlanMode;
  /** Whether connections to addresses outside all pools leave with the node's address. Defaults to true. */
  natOutgoing?: boolean;
  /** Whether the pool gives no new addresses. Defaults to false. */
  disabled?: boolean;
}

/** Name of the pool that an `IpPool` without a name describes. */
export const DEFAULT_POOL_NAME = "default-ipv4-ippool";

/** Addresses for pods: an IPPool object (projectcalico.org/v3) of a cluster that runs `Dataplane`. */
export class IpPool extends pulumi.ComponentResource {
  constructor(name: string, args: IpPoolArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("IpPool", name);
    args = requirePool(place, requireArguments(place, "IpPool", args));
    super(componentType("IpPool"), name, args, opts);

    const { blockSize = 26, vxlanMode = VxlanMode.CrossSubnet, natOutgoing = true, disabled = false } = args;
    new k8s.apiextensions.CustomResource(
      `${name}-ippool`,
      {
        apiVersion: "projectcalico.org/v3",
        kind: "IPPool",
        metadata: { name: args.name ?? DEFAULT_POOL_NAME },
        spec: { cidr: args.cidr, blockSize, vxlanMode, natOutgoing, disabled },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}

/** Refuses a pool that could not give addresses. */
export function requirePool(place: InputPlace, pool: IpPoolArgs): IpPoolArgs {
  requireObjectName(at(place, "name"), pool.name ?? DEFAULT_POOL_NAME);
  const blockSize = requireWhole(at(place, "blockSize"), pool.blockSize ?? 26, 20, 32);
  const cidr = checked(pool.cidr, (known) => {
    requireUnicastCidr(at(place, "cidr"), known);
    if (blockSize >= prefixLength(known)) return known;
    return refuse(at(place, "blockSize"), blockSize, `at least ${prefixLength(known)}, the prefix length of ${known}`);
  });
  return { ...pool, cidr };
}
