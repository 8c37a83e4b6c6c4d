import { expect, test } from "vitest";
import type { Operation } from "../../operation.ts";
import { Cloud } from "./cloud.ts";

const operation = (type: string, name: string, inputs: Record<string, unknown>): Operation => ({
  ...{ type, name, inputs, urn: "", parent: "", references: {}, provider: "", custom: true },
});

/** A cloud of two nodes in one group and a client in another. */
function cloud() {
  const made = new Cloud();
  const add = (type: string, name: string, inputs: Record<string, unknown>) =>
    made.add(operation(type, name, inputs), { publicAddress: "127.80.1.1" });
  const nodes = add("aws:ec2/securityGroup:SecurityGroup", "nodes", {}).id;
  const clients = add("aws:ec2/securityGroup:SecurityGroup", "clients", {}).id;
  const instance = (name: string, privateIp: string, group: string, more = {}) =>
    add("aws:ec2/instance:Instance", `c-${name}`, {
      privateIp,
      vpcSecurityGroupIds: [group],
      tags: { "ebpf-dataplane/machine": name },
      ...more,
    }).id;
  return { made, add, nodes, clients, instance, spec: () => made.spec("aws", "eu-central-1", "127.80.1.1") };
}

test("a group as a peer means its members' addresses", () => {
  const { add, nodes, clients, instance, spec } = cloud();
  instance("master", "172.31.1.8", nodes, { sourceDestCheck: false });
  instance("client1", "172.31.1.55", clients);
  add("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "ports", {
    ...{
      securityGroupId: nodes,
      ipProtocol: "tcp",
      fromPort: 30000,
      toPort: 32767,
      referencedSecurityGroupId: clients,
    },
  });
  expect(spec().instances).toEqual([
    {
      name: "master",
      address: "172.31.1.8",
      sourceDestCheck: false,
      ingress: [{ protocol: "tcp", range: [30000, 32767], cidrs: ["172.31.1.55/32"] }],
    },
    { name: "client1", address: "172.31.1.55", sourceDestCheck: true, ingress: [] },
  ]);
});

test("routes of the VPC lead to instances by their interfaces", () => {
  const { add, nodes, instance, spec } = cloud();
  const tags = { "ebpf-dataplane/machine": "node" };
  const { state } = add("aws:ec2/instance:Instance", "c-node", { privateIp: "172.31.1.207", tags });
  instance("master", "172.31.1.8", nodes);
  const type = "aws:ec2/route:Route";
  add(type, "pods", { destinationCidrBlock: "10.244.1.0/24", networkInterfaceId: state.primaryNetworkInterfaceId });
  add(type, "outside", { destinationCidrBlock: "0.0.0.0/0", gatewayId: "igw-1" });
  expect(spec().routes).toEqual([{ cidr: "10.244.1.0/24", instance: "node" }]);
});

test("machines of a dual-stack network have an address of each family, for groups too", () => {
  const { add, nodes, clients, instance, spec } = cloud();
  const vpc = add("aws:ec2/vpc:Vpc", "vpc", { assignGeneratedIpv6CidrBlock: true });
  expect(vpc.state.ipv6CidrBlock).toBe("fd00:172:31:1::/64");
  instance("master", "172.31.1.8", nodes, { ipv6Addresses: ["fd00:172:31:1::ac1f:108"] });
  const rule = { securityGroupId: clients, ipProtocol: "-1" };
  const type = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";
  add(type, "a", { ...rule, referencedSecurityGroupId: nodes });
  add(type, "b", { ...rule, cidrIpv6: "::/0" });
  instance("client1", "172.31.1.55", clients);
  const [master, client1] = spec().instances;
  expect(master?.addressIpv6).toBe("fd00:172:31:1::ac1f:108");
  expect(client1?.ingress.map(({ cidrs }) => cidrs)).toEqual([
    ["172.31.1.8/32", "fd00:172:31:1::ac1f:108/128"],
    ["::/0"],
  ]);
});

test("an instance has its role's permissions and its public address", () => {
  const { add, nodes, instance, spec } = cloud();
  const parameter = add("aws:ssm/parameter:Parameter", "join", { name: "/c/join" }).state;
  const role = add("aws:iam/role:Role", "worker-role", {}).state.name;
  const policy = { Statement: [{ Effect: "Allow", Action: "ssm:GetParameter", Resource: parameter.arn }] };
  add("aws:iam/rolePolicy:RolePolicy", "p", { role, policy: JSON.stringify(policy) });
  const iamInstanceProfile = add("aws:iam/instanceProfile:InstanceProfile", "worker-profile", { role }).state.name;
  const instanceId = instance("node", "172.31.1.207", nodes, { iamInstanceProfile });
  add("aws:ec2/eipAssociation:EipAssociation", "a", { instanceId });
  expect(spec().instances[0]).toMatchObject({
    role: { name: "worker-role", statements: [{ actions: ["ssm:GetParameter"], resources: [parameter.arn] }] },
    publicAddress: "127.80.1.1",
  });
});

test.each([
  ["aws:eks/cluster:Cluster", {}, "a resource of type aws:eks/cluster:Cluster cannot be rehearsed"],
  ["aws:ec2/subnet:Subnet", { cidrBlock: "172.31.2.0/24" }, "but a lab has only 172.31.1.0/24"],
  [
    "aws:ec2/subnet:Subnet",
    { cidrBlock: "172.31.1.0/24", ipv6CidrBlock: "2001:db8::/64" },
    "but a lab has only fd00:172:31:1::/64",
  ],
  ["aws:ec2/instance:Instance", {}, "it has no privateIp"],
  [
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    { ipProtocol: "tcp", cidrIpv4: "0.0.0.0/0" },
    "it restricts outgoing traffic",
  ],
])("%s %j is refused", (type, inputs, message) => {
  expect(() => cloud().add(type, "x", inputs)).toThrow(message);
});
