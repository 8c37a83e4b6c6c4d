import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { POOL_EGRESS_ADDRESS } from "../../model/egress/pool-address.ts";
import { CALICO_API } from "../../model/objects/kinds.ts";
import { requireArguments } from "../arguments/arguments.ts";
import { componentType } from "../program/package-name.ts";
import { argumentsOf } from "../refusal/refusal.ts";
import { type IpPoolArgs, VxlanMode } from "./args.ts";
import { isForLoadBalancers, modesOf, poolName, requirePool, usualValues } from "./inputs.ts";

/** Addresses for pods or load balancers: an IPPool object (projectcalico.org/v3) of a cluster that runs `Dataplane`. */
export class IpPool extends pulumi.ComponentResource {
  constructor(name: string, args: IpPoolArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("IpPool", name);
    args = requirePool(place, requireArguments(place, "IpPool", args));
    super(componentType("IpPool"), name, args, opts);

    const usual = usualValues(args.cidr);
    const { blockSize = usual.blockSize, natOutgoing = usual.natOutgoing } = args;
    const { disabled = false } = args;
    const { allowedUses, egressAddress, nodeSelector, namespaceSelector, assignmentMode } = args;
    const spec = isForLoadBalancers(args)
      ? { blockSize: usual.loadBalancerBlock, vxlanMode: VxlanMode.Never, natOutgoing: false, disabled }
      : { blockSize, ...modesOf(args), natOutgoing, disabled };
    new k8s.apiextensions.CustomResource(
      `${name}-ippool`,
      {
        apiVersion: CALICO_API,
        kind: "IPPool",
        metadata: {
          name: poolName(args),
          ...(egressAddress !== undefined && { annotations: { [POOL_EGRESS_ADDRESS]: egressAddress } }),
        },
        spec: {
          cidr: args.cidr,
          ...spec,
          ...(allowedUses && { allowedUses }),
          ...(nodeSelector !== undefined && { nodeSelector }),
          ...(namespaceSelector !== undefined && { namespaceSelector }),
          ...(assignmentMode && { assignmentMode }),
        },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
