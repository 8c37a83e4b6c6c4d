import { expect, test } from "vitest";
import type { AwsMachine } from "../aws/machine.ts";
import { AddressFamily } from "../machine/address-family.ts";
import { MachineRole, WALK_THROUGH_MACHINES } from "../machine/machine.ts";
import { recordAws } from "../testing/aws.ts";
import type { AwsClusterArgs } from "./args.ts";
import { AwsCluster } from "./component.ts";

const adminCidrs = ["203.0.113.7/32"];

const IPV6 = { podSubnetIpv6: "fd00:10:244::/56", serviceSubnetIpv6: "fd00:10:96::/112" };

const withMachine = (change: Partial<AwsMachine>): Partial<AwsClusterArgs> => ({
  machines: WALK_THROUGH_MACHINES.map((machine) => (machine.name === "node" ? { ...machine, ...change } : machine)),
});

test.each<[Partial<AwsClusterArgs>, string]>([
  [
    { podSubnet: "172.31.0.0/20" },
    'AwsCluster "c": vpcCidr is "172.31.0.0/16", but must be apart from podSubnet 172.31.0.0/20.',
  ],
  [{ serviceSubnet: "10.244.0.0/20" }, "apart from podSubnet 10.244.0.0/16"],
  [{ vpcCidr: "10.0.0.0/8" }, "a network from /16 to /28"],
  [
    { machines: [...WALK_THROUGH_MACHINES, { name: "r", role: MachineRole.Router, address: "172.31.1.9" }] },
    'machines[4].role is "router", but must be "control-plane", "worker" or "client": the VPC routes between its subnets',
  ],
  [{ subnets: [{ cidr: "172.30.1.0/24" }] }, "inside vpcCidr 172.31.0.0/16"],
  [{ subnets: [{ cidr: "172.31.0.0/15" }] }, "did you mean 172.30.0.0/15?"],
  [{ subnets: [{ cidr: "172.31.1.0/24" }, { cidr: "172.31.1.128/25" }] }, "apart from subnets[0].cidr 172.31.1.0/24"],
  [{ subnets: [{ cidr: "172.31.1.0/24", zone: "eu-central-1" }] }, 'must be a zone like "eu-central-1a"'],
  [{ subnets: [{ cidr: "172.31.1.0/24", zone: "eu-west-1a" }] }, "a zone of the region eu-central-1"],
  [{ subnets: [{ cidr: "172.31.1.0/24", id: "subnet-1" }] }, "absent, or given together with vpcId"],
  [{ routeTableIds: ["rtb-1", "subnet-1"] }, 'routeTableIds[1] is "subnet-1", but must be an id like "rtb-'],
  [{ vpcId: "vpc-1" }, "subnets[0].id is undefined, but must be the id of a subnet of vpcId"],
  [
    withMachine({ address: "172.31.2.9" }),
    'machines[1].address is "172.31.2.9", but must be inside one of the subnets: 172.31.1.0/24.',
  ],
  [withMachine({ address: "172.31.1.3" }), "the first four and the last belong to AWS"],
  [withMachine({ address: "172.31.1.255" }), "the first four and the last belong to AWS"],
  [withMachine({ instanceType: "m7g.large" }), "a type with the processor amd64 (architecture), such as those of t3"],
  [withMachine({ instanceType: "large" }), 'an EC2 instance type like "t3.medium"'],
  [{ machines: WALK_THROUGH_MACHINES.map((one) => ({ ...one, spot: true })) }, "machines[0].spot is true"],
  [{ imageName: "debian-11-amd64-*" }, "an image with Linux 6.1 or later (this one's is 5.10 or older)"],
  [{ imageName: "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*" }, "5.15 or older"],
  [{ imageName: "al2023-ami-2023.*" }, "the bootstrap uses apt"],
  [{ adminCidrs: [] }, "adminCidrs is [], but must be at least one network"],
  [{ adminCidrs: ["203.0.113.7"] }, "did you mean 203.0.113.7/32?"],
  [
    { adminCidrs: ["0.0.0.0/0"] },
    'the API server is open to 0.0.0.0/0: name the networks that need it, or say openToWorld: ["api-server"].',
  ],
  [{ ssh: { publicKey: "ssh-ed25519 A", cidrs: ["0.0.0.0/1"] } }, "port 22 (SSH) is open to 0.0.0.0/1"],
  [
    { ssh: { publicKey: "-----BEGIN OPENSSH PRIVATE KEY-----", cidrs: [] } },
    'ssh.publicKey is "…", but must be an OpenSSH public key',
  ],
  [
    { nodePortCidrs: ["0.0.0.0/0"] },
    'node ports (30000-32767) are open to 0.0.0.0/0: name the networks that need them, or say openToWorld: ["node-ports"].',
  ],
  [
    { podSubnetIpv6: "fd00:10:244::/56" },
    "serviceSubnetIpv6 is undefined, but must be given beside podSubnetIpv6, like",
  ],
  [{ ipFamilies: [] }, 'ipFamilies is [], but must be "IPv4", "IPv6" or both, each once, in a list'],
  [
    { ipFamilies: [AddressFamily.Ipv6], serviceSubnet: "10.96.0.0/12" },
    'serviceSubnet is "10.96.0.0/12", but must be left out, because ipFamilies is ["IPv6"]',
  ],
  [
    { ipFamilies: [AddressFamily.Ipv4], ...IPV6 },
    'podSubnetIpv6 is "fd00:10:244::/56", but must be left out, because ipFamilies is ["IPv4"]',
  ],
  [
    { ipFamilies: [AddressFamily.Ipv6], subnets: [{ cidr: "2001:db8::/64" }] },
    'subnets[0].cidr is "2001:db8::/64", but must be an IPv4 network',
  ],
  [
    {
      ipFamilies: [AddressFamily.Ipv6],
      machines: [{ name: "master", role: MachineRole.ControlPlane, address: "172.31.1.8", instanceType: "m4.large" }],
    },
    'machines[0].instanceType is "m4.large", but must be a type of the Nitro system, such as t3 or m7i',
  ],
  [
    { serviceSubnetIpv6: "fd00:10:96::/112" },
    "podSubnetIpv6 is undefined, but must be given beside serviceSubnetIpv6, like",
  ],
  [{ ...IPV6, podSubnetIpv6: "fd00:10:244::/72" }, "an IPv6 network from /48 to /64"],
  [{ ...IPV6, podSubnetIpv6: "fd00:10:96::/64" }, "must be apart from serviceSubnetIpv6 fd00:10:96::/112"],
  [{ ...IPV6, serviceSubnetIpv6: "10.96.0.0/12" }, "an IPv6 network like fd00:10:244::/56"],
  [
    { ...IPV6, vpcId: "vpc-1", subnets: [{ cidr: "172.31.1.0/24", id: "subnet-1" }] },
    "subnets[0].cidrIpv6 is undefined, but must be the /64 of the subnet",
  ],
  [
    { ...IPV6, vpcId: "vpc-1", subnets: [{ cidr: "172.31.1.0/24", id: "subnet-1", cidrIpv6: "2001:db8::/56" }] },
    'subnets[0].cidrIpv6 is "2001:db8::/56", but must be an IPv6 network of /64',
  ],
  [
    { ...IPV6, subnets: [{ cidr: "172.31.1.0/24", cidrIpv6: "2001:db8::/64" }] },
    "absent, or given together with id in a cluster that has IPv6",
  ],
  [{ nodePortCidrs: ["2001:db8::/32"] }, 'nodePortCidrs[0] is "2001:db8::/32", but must be an IPv4 network'],
  [{ ...IPV6, nodePortCidrs: ["::/0"] }, "node ports (30000-32767) are open to ::/0"],
  [{ ...IPV6, nodePortCidrs: ["2000::/3"] }, "node ports (30000-32767) are open to 2000::/3"],
  [{ diskSize: 4 }, "diskSize is 4, but must be a whole number from 8 to 16384"],
  [{ clusterName: "My_Cluster" }, "clusterName"],
  [{ kubernetesVersion: "latest" }, 'a release like "v1.35.0"'],
])("AwsCluster refuses %j", async (args, message) => {
  await recordAws();
  expect(() => new AwsCluster("c", { adminCidrs, ...args })).toThrow(message);
});
