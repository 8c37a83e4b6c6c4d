import * as pulumi from "@pulumi/pulumi";
import type { MachineAddress } from "../machine/machine.ts";
import type { AwsMachine } from "./machine.ts";
import type { AwsSdk } from "./sdk-types.ts";

/** What an instance is created from. */
export interface InstancePlan {
  machine: AwsMachine;
  instanceType: string;
  imageId: pulumi.Input<string>;
  subnetId: pulumi.Input<string>;
  addressIpv6?: pulumi.Input<string> | undefined;
  securityGroupIds: pulumi.Input<string>[];
  sourceDestCheck: boolean;
  publicAddress: boolean;
  diskSize: pulumi.Input<number>;
  tags: Record<string, pulumi.Input<string>>;
  keyName?: pulumi.Input<string>;
  instanceProfile?: pulumi.Input<string>;
  userData?: pulumi.Input<string>;
}

/** An instance: token-only metadata that pods cannot reach, encrypted disk, fixed addresses. */
export function instance(sdk: AwsSdk, name: string, plan: InstancePlan, opts: pulumi.CustomResourceOptions) {
  const { machine, instanceProfile, keyName, userData } = plan;
  const tags = {
    ...plan.tags,
    Name: name,
    "ebpf-dataplane/machine": machine.name,
    "ebpf-dataplane/role": machine.role,
  };
  return new sdk.ec2.Instance(
    name,
    {
      ami: plan.imageId,
      instanceType: plan.instanceType,
      subnetId: plan.subnetId,
      privateIp: machine.address,
      ...(plan.addressIpv6 !== undefined && { ipv6Addresses: [plan.addressIpv6] }),
      vpcSecurityGroupIds: plan.securityGroupIds,
      sourceDestCheck: plan.sourceDestCheck,
      associatePublicIpAddress: plan.publicAddress,
      // With a hop limit of 1, answers of the metadata service do not get past the node: packets to and from pods are routed once more.
      metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
      rootBlockDevice: { encrypted: true, volumeType: "gp3", volumeSize: plan.diskSize, tags },
      tags,
      ...(keyName && { keyName }),
      ...(instanceProfile && { iamInstanceProfile: instanceProfile }),
      ...(userData && { userData }),
      ...(machine.spot && {
        instanceMarketOptions: { marketType: "spot", spotOptions: { spotInstanceType: "one-time" } },
      }),
    },
    {
      // A newer image or bootstrap applies to the next instance; it is no reason to replace or stop a running one.
      ignoreChanges: ["ami", "userData"],
      // The private address becomes free only when the former instance is deleted.
      deleteBeforeReplace: true,
      customTimeouts: { create: "15m", delete: "30m" },
      ...opts,
    },
  );
}

/** A machine by its private address, and by its IPv6 address where it has one. */
export function addressesOf(
  name: string,
  { privateIp }: { privateIp: pulumi.Output<string> },
  addressIpv6: pulumi.Input<string> | undefined,
): pulumi.Input<MachineAddress> {
  // Without IPv6, nothing is unknown in a preview.
  return addressIpv6 === undefined
    ? pulumi.output({ name, address: privateIp })
    : pulumi.output({ name, address: privateIp, addressIpv6 });
}
