import type * as pulumi from "@pulumi/pulumi";
import type { Architecture, AwsMachine } from "../aws/machine.ts";
import type { AwsSubnet } from "../aws/subnet.ts";

/** Arguments of `ClientMachines`. */
export interface ClientMachinesArgs {
  /** The machines, all with the role `Client`. */
  machines: AwsMachine[];
  /** Subnets that exist, with their ids: those of an `AwsCluster` are its output `subnetIds`. */
  subnets: AwsSubnet[];
  /** Ids of the security groups; a cluster lets the members of its own one for clients reach node ports. */
  securityGroupIds: pulumi.Input<string>[];
  /** Processor of the instances. Defaults to `Amd64`. */
  architecture?: Architecture;
  /** Name pattern of the machine image; the newest that matches. Defaults to "debian-13-ARCHITECTURE-*". */
  imageName?: string;
  /** Account that owns the image. Defaults to Debian's, "136693071363". */
  imageOwner?: string;
  /** Id of the machine image, in place of a search by name. */
  imageId?: pulumi.Input<string>;
  /** Name of an EC2 key pair that logs in. Defaults to none. */
  keyName?: pulumi.Input<string>;
  /** Name of an IAM instance profile. Defaults to none: a client sends no requests to AWS. */
  instanceProfile?: pulumi.Input<string>;
  /** Whether instances get public addresses. Defaults to true. */
  publicAddresses?: boolean;
  /** Size of the encrypted disks in GiB, at least 8. Defaults to 8. */
  diskSize?: pulumi.Input<number>;
  /** Tags of the instances and their disks. */
  tags?: Record<string, pulumi.Input<string>>;
}
