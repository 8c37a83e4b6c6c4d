import * as pulumi from "@pulumi/pulumi";
import { afterEach, expect, test, vi } from "vitest";
import { Architecture, type AwsMachine } from "../aws/machine.ts";
import { ReturnMode } from "../dataplane/args.ts";
import { IpipMode, VxlanMode } from "../ip-pool/args.ts";
import { AddressFamily } from "../machine/address-family.ts";
import { MachineRole, WALK_THROUGH_MACHINES } from "../machine/machine.ts";
import { recordAws } from "../testing/aws.ts";
import { resolved, settled } from "../testing/program.ts";
import { type AwsClusterArgs, WorldAccess } from "./args.ts";
import { AwsCluster } from "./component.ts";

const INSTANCE = "aws:ec2/instance:Instance";
const adminCidrs = ["203.0.113.7/32"];

async function made(args: Partial<AwsClusterArgs> = {}) {
  const program = await recordAws({ architecture: args.architecture === Architecture.Arm64 ? "arm64" : "x86_64" });
  const cluster = new AwsCluster("c", { adminCidrs, ...args });
  await settled();
  return { ...program, cluster };
}

const instances = (program: Awaited<ReturnType<typeof made>>) =>
  program.resources.filter(({ type }) => type === INSTANCE);

test("instances have the seed's addresses, token-only metadata and encrypted disks", async () => {
  const program = await made();
  expect(
    instances(program)
      .map(({ name, inputs }) => [name, inputs.privateIp, inputs.sourceDestCheck])
      .sort(),
  ).toEqual(
    [
      ["c-clients-client1", "172.31.1.55", true],
      ["c-clients-client2", "172.31.1.162", true],
      ["c-master", "172.31.1.8", false],
      ["c-node", "172.31.1.207", false],
    ].sort(),
  );
  for (const { inputs } of instances(program)) {
    expect(inputs.metadataOptions).toEqual({
      httpEndpoint: "enabled",
      httpTokens: "required",
      httpPutResponseHopLimit: 1,
    });
    expect(inputs.rootBlockDevice).toMatchObject({ encrypted: true });
    expect(inputs.tags).toMatchObject({ "ebpf-dataplane/cluster": "c-aws" });
  }
});

test("outputs are those of a LocalCluster, and only the kubeconfig is secret", async () => {
  const { cluster } = await made();
  expect(await pulumi.isSecret(cluster.kubeconfig)).toBe(true);
  expect(await pulumi.isSecret(cluster.apiServer)).toBe(false);
  // Reached from here by the public address.
  expect(await resolved(cluster.kubeconfig)).toContain("server: https://198.51.100.8:6443\n");
  expect(await resolved(cluster.apiServer)).toEqual({ host: "172.31.1.8", port: 6443 });
  expect(await resolved(cluster.nodes)).toEqual([
    { name: "master", address: "172.31.1.8" },
    { name: "node", address: "172.31.1.207" },
  ]);
  expect(await resolved(cluster.clients)).toEqual([
    { name: "client1", address: "172.31.1.55" },
    { name: "client2", address: "172.31.1.162" },
  ]);
});

test("no secret is in user data, in an argument or in an input that is not marked", async () => {
  const { resources, inputsOf } = await made();
  const plain = resources.map(({ inputs }) => JSON.stringify(inputs)).join("\n");
  expect(plain).not.toMatch(/[a-z0-9]{6}\.[a-z0-9]{16}/); // a bootstrap token
  expect(inputsOf("command:local:Command", "c-nodes").environment).toHaveProperty("4dabf18193072939515e22adb298388d");
});

test("a role may touch the parameters of its cluster, and nothing else", async () => {
  const { inputsOf } = await made();
  const policy = (name: string) =>
    JSON.parse(inputsOf("aws:iam/rolePolicy:RolePolicy", name).policy as string).Statement;
  const arn = (last: string) => `arn:aws:ssm:eu-central-1:111122223333:parameter/ebpf-dataplane/c-aws/${last}`;
  expect(policy("c-control-plane-parameters")).toEqual([
    { Effect: "Allow", Action: "ssm:PutParameter", Resource: [arn("join"), arn("kubeconfig")] },
  ]);
  expect(policy("c-worker-parameters")).toEqual([
    { Effect: "Allow", Action: "ssm:GetParameter", Resource: [arn("join")] },
  ]);
});

test("a worker's user data does not change with the release of Kubernetes", async () => {
  const text = async (kubernetesVersion: string) =>
    (await made({ kubernetesVersion })).inputsOf(INSTANCE, "c-node").userData;
  expect(await text("v1.35.0")).toBe(await text("v1.36.1"));
});

test.each<[Partial<AwsClusterArgs>, boolean]>([
  [{}, false],
  [{ returnMode: ReturnMode.Tunnel }, false], // pods without a tunnel
  [{ vxlanMode: VxlanMode.Always }, false], // direct returns
  [{ returnMode: ReturnMode.Tunnel, vxlanMode: VxlanMode.Always }, true],
  [{ returnMode: ReturnMode.Tunnel, ipipMode: IpipMode.Always }, true],
  [{ returnMode: ReturnMode.Tunnel, ipipMode: IpipMode.CrossSubnet }, false],
  [{ sourceDestCheck: true }, true],
])("with %j the source/destination check is %s", async (args, check) => {
  expect((await made(args)).inputsOf(INSTANCE, "c-node").sourceDestCheck).toBe(check);
});

test("the control plane is protected, and nothing else", async () => {
  const { resources } = await made();
  expect(resources.filter(({ protect }) => protect).map(({ name }) => name)).toEqual(["c-master"]);
});

test("SSH opens port 22 to its networks and makes a key; otherwise there is neither", async () => {
  const ssh = { publicKey: "ssh-ed25519 AAAAC3 me", cidrs: ["198.51.100.0/24"] };
  const { resources } = await made({ ssh });
  expect(resources.filter(({ inputs }) => inputs.fromPort === 22).map(({ inputs }) => inputs.cidrIpv4)).toEqual([
    "198.51.100.0/24",
    "198.51.100.0/24",
  ]);
  expect(resources.filter(({ type, inputs }) => type === INSTANCE && inputs.keyName === "c-key-1234567")).toHaveLength(
    4,
  );
  const without = (await made()).resources;
  expect(without.filter(({ inputs }) => inputs.fromPort === 22 || inputs.keyName)).toEqual([]);
});

const networksIpv6 = { podSubnetIpv6: "fd00:10:244::/56", serviceSubnetIpv6: "fd00:10:96::/112" };

test("a dual-stack cluster has IPv6 networks of the VPC's, and addresses that end with those of IPv4", async () => {
  const subnets = [{ cidr: "172.31.1.0/24" }, { cidr: "172.31.2.0/24" }];
  const { cluster, resources, inputsOf } = await made({ ...networksIpv6, subnets });
  expect(inputsOf("aws:ec2/vpc:Vpc", "c-vpc").assignGeneratedIpv6CidrBlock).toBe(true);
  const blocks = ["c-subnet-0", "c-subnet-1"].map((name) => inputsOf("aws:ec2/subnet:Subnet", name).ipv6CidrBlock);
  expect(blocks).toEqual(["2001:db8:0:a00::/64", "2001:db8:0:a01::/64"]);
  expect(inputsOf(INSTANCE, "c-master").ipv6Addresses).toEqual(["2001:db8:0:a00::ac1f:108"]);
  expect(inputsOf("aws:ec2/route:Route", "c-outside-ipv6")).toMatchObject({
    destinationIpv6CidrBlock: "::/0",
    gatewayId: "c-gateway-id",
  });
  const egress = resources.filter(({ type, inputs }) => type.endsWith("EgressRule") && inputs.cidrIpv6 === "::/0");
  expect(egress.map(({ name }) => name).sort()).toEqual([
    "c-clients-outside-ipv6",
    "c-control-plane-outside-ipv6",
    "c-nodes-outside-ipv6",
  ]);
  const both = (name: string, address: string, addressIpv6: string) => ({ name, address, addressIpv6 });
  expect(await resolved(cluster.nodes)).toEqual([
    both("master", "172.31.1.8", "2001:db8:0:a00::ac1f:108"),
    both("node", "172.31.1.207", "2001:db8:0:a00::ac1f:1cf"),
  ]);
  expect((await resolved(cluster.clients))[0]).toEqual(both("client1", "172.31.1.55", "2001:db8:0:a00::ac1f:137"));
});

test("nodes of a dual-stack cluster read their IPv6 address from AWS, and kubeadm gets networks of both families", async () => {
  const { inputsOf } = await made(networksIpv6);
  const [master, node] = ["c-master", "c-node"].map((name) => String(inputsOf(INSTANCE, name).userData));
  expect(master).toContain("export POD_SUBNET='10.244.0.0/16,fd00:10:244::/56'\n");
  expect(master).toContain("export SERVICE_SUBNET='10.96.0.0/12,fd00:10:96::/112'\n");
  for (const text of [master, node]) expect(text).toContain("export NODE_ADDRESS_IPV6='metadata'\n");
  const { resources, inputsOf: alone } = await made();
  expect(String(alone(INSTANCE, "c-master").userData)).not.toContain("NODE_ADDRESS_IPV6='");
  expect(JSON.stringify(resources.map(({ inputs: { userData: _, ...inputs } }) => inputs))).not.toMatch(/ipv6/i);
});

test("a cluster with IPv6 alone has it in Kubernetes, on instances that keep their IPv4 addresses for AWS's own services", async () => {
  const { cluster, inputsOf, resources } = await made({ ipFamilies: [AddressFamily.Ipv6] });
  const { userData } = inputsOf(INSTANCE, "c-master");
  for (const setting of [
    "NODE_ADDRESS_IPV6='metadata'",
    "FIRST_FAMILY='IPv6'",
    "POD_NAMESERVER='fd00:ec2::253'",
    "API_SERVER='172.31.1.8:6443'",
    "POD_SUBNET='fd00:10:244::/56'",
    "SERVICE_SUBNET='fd00:10:96::/112'",
  ])
    expect(userData).toContain(`export ${setting}\n`);
  expect(userData).not.toContain("export NODE_ADDRESS=");
  expect(userData).toMatch(/export CERTIFICATE_NAMES='.*172\.31\.1\.8 127\.0\.0\.1'/);
  expect(inputsOf("aws:ec2/subnet:Subnet", "c-subnet-0").cidrBlock).toBe("172.31.1.0/24");
  expect(await resolved(cluster.apiServer)).toEqual({ host: "172.31.1.8", port: 6443 });
  expect(resources.filter(({ inputs }) => inputs.cidrIpv4 === "10.244.0.0/16")).toEqual([]);
});

test("without public addresses nobody reaches the machines of a dual-stack cluster over IPv6", async () => {
  const { inputsOf } = await made({ ...networksIpv6, publicAddresses: false });
  const { gatewayId, egressOnlyGatewayId } = inputsOf("aws:ec2/route:Route", "c-outside-ipv6");
  expect([gatewayId, egressOnlyGatewayId]).toEqual([undefined, "c-egress-id"]);
});

test("a dual-stack cluster in an existing VPC takes the IPv6 networks of its subnets", async () => {
  const subnets = [{ cidr: "172.31.1.0/24", id: "subnet-1", cidrIpv6: "2001:db8:0:b::/64" }];
  const { inputsOf } = await made({ ...networksIpv6, vpcId: "vpc-1", subnets });
  expect(inputsOf(INSTANCE, "c-clients-client1").ipv6Addresses).toEqual(["2001:db8:0:b::ac1f:137"]);
});

test("an existing VPC is left as it is", async () => {
  const subnets = [{ cidr: "172.31.1.0/24", id: "subnet-1" }];
  const { resources, inputsOf } = await made({ vpcId: "vpc-1", subnets, publicAddresses: false });
  expect(resources.map(({ type }) => type).filter((type) => /vpc:Vpc|ubnet|oute|ateway|eip/i.test(type))).toEqual([]);
  expect(inputsOf(INSTANCE, "c-node")).toMatchObject({ subnetId: "subnet-1", associatePublicIpAddress: false });
});

test("a spot worker on ARM", async () => {
  const machines: AwsMachine[] = WALK_THROUGH_MACHINES.map((machine) => ({
    ...machine,
    spot: machine.role === MachineRole.Worker,
  }));
  const { inputsOf } = await made({ machines, architecture: Architecture.Arm64 });
  expect(inputsOf(INSTANCE, "c-node")).toMatchObject({
    instanceType: "t4g.medium",
    instanceMarketOptions: { marketType: "spot" },
  });
  expect(inputsOf(INSTANCE, "c-master").instanceMarketOptions).toBeUndefined();
});

test("fifty workers over two zones", async () => {
  const workers = Array.from({ length: 50 }, (_, index) => ({
    name: `worker${index}`,
    role: MachineRole.Worker,
    address: `172.31.${1 + (index % 2)}.${100 + index}`,
  }));
  const control = WALK_THROUGH_MACHINES.filter(({ role }) => role === MachineRole.ControlPlane);
  const program = await made({
    machines: [...control, ...workers],
    subnets: [
      { cidr: "172.31.1.0/24", zone: "eu-central-1a" },
      { cidr: "172.31.2.0/24", zone: "eu-central-1b" },
    ],
  });
  expect(instances(program)).toHaveLength(51);
  expect(program.inputsOf(INSTANCE, "c-worker3").subnetId).toBe("c-subnet-1-id");
  // The user data of workers takes the most of an engine's state; nothing grows with the number of the others.
  expect(JSON.stringify(program.resources).length).toBeLessThan(51 * 20_000);
});

test("what is said to be open to the world is", async () => {
  const world = "0.0.0.0/0";
  const openToWorld = [WorldAccess.NodePorts, WorldAccess.ApiServer];
  const { resources } = await made({ adminCidrs: [world], nodePortCidrs: [world], openToWorld });
  expect(resources.filter(({ inputs, type }) => inputs.cidrIpv4 === world && /Ingress/.test(type))).toHaveLength(3);
});

afterEach(() => vi.unstubAllEnvs());

test("without a region nothing is begun", async () => {
  await recordAws();
  pulumi.runtime.setAllConfig({});
  for (const name of ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"]) vi.stubEnv(name, "");
  expect(() => new AwsCluster("c", { adminCidrs })).toThrow('AwsCluster "c": no AWS region is known. Set one with');
  vi.stubEnv("AWS_REGION", "Frankfurt");
  expect(() => new AwsCluster("c", { adminCidrs })).toThrow('the AWS region is "Frankfurt", but must be one like');
});

/** What a cluster whose AWS answers like this ends with, and what was made until then. */
async function refused(args: Partial<AwsClusterArgs>, answers: Parameters<typeof recordAws>[0]) {
  const { resources } = await recordAws(answers);
  const told: string[] = [];
  const listen = (error: unknown) => told.push(String(error));
  const others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection").on("unhandledRejection", listen);
  new AwsCluster("c", { adminCidrs, ...args });
  await settled().catch(listen);
  await vi.waitFor(() => expect(told).not.toEqual([]), 180_000);
  process.off("unhandledRejection", listen);
  for (const other of others) process.on("unhandledRejection", other);
  return {
    told: told.join("\n"),
    made: resources.filter(({ type }) => type.startsWith("aws:")).map(({ name }) => name),
  };
}

test.each([
  ["No valid credential sources found", "there are no AWS credentials. Log in (aws sso login"],
  ["api error ExpiredToken: The security token included in the request is expired", "have expired. Log in again"],
  ["dial tcp: lookup ec2.eu-nowhere-1.amazonaws.com: no such host", "there is no such AWS region"],
  ["api error AuthFailure: AWS was not able to validate the provided access credentials", "does not accept these"],
  ["UnauthorizedOperation: not authorized to perform: ec2:DescribeInstanceTypeOfferings", "give them the permission"],
  ["something else", "AWS refused (it said: something else)"],
])("before anything is made AWS says: %s", async (refusal, means) => {
  const { told, made } = await refused({}, { refusal });
  expect(told.toLowerCase()).toContain(means.toLowerCase());
  expect(made).toEqual([]);
});

test("an image of another processor, chosen by its id, is refused before an instance is made", async () => {
  const { told, made } = await refused({ imageId: "ami-1" }, { architecture: "arm64" });
  expect(told).toContain('imageId is "ami-1", but must be an image for x86_64, as architecture says');
  expect(made.filter((name) => name === "c-master")).toEqual([]);
});
