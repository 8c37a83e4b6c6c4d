import { LAB_NETWORK, LAB_NETWORK_IPV6 } from "../../../components/documents/defaults.ts";
import { RunnerFailure } from "../../failure.ts";
import type { Operation } from "../../operation.ts";

type Inputs = Record<string, unknown>;

/** Input of `lab cloud`. */
export interface CloudSpec {
  name: string;
  region: string;
  instances: CloudInstance[];
  parameters: { name: string; arn: string }[];
  /** Of the VPC's table to instances, by their names. */
  routes: { cidr: string; instance: string }[];
}
interface CloudInstance {
  name: string;
  address: string;
  addressIpv6?: string;
  userData?: string;
  sourceDestCheck: boolean;
  ingress: { protocol: string; range?: [number, number]; cidrs: string[] }[];
  role?: { name: string; statements: { actions: string[]; resources: string[] }[] };
  publicAddress?: string;
}

/**
 * The resources of a stack on AWS, by their ids, and their equivalent on a lab. Pure: it starts nothing. Anything that a lab cannot
 * reproduce is refused, so that a rehearsal never claims more than it has shown.
 */
export class Cloud {
  readonly #resources = new Map<string, { type: string; inputs: Inputs }>();

  /** @returns the id and the computed outputs */
  add({ type, name, inputs }: Operation, { publicAddress }: { publicAddress: string }): { id: string; state: Inputs } {
    const refusal = refusalOf(type, inputs);
    if (refusal) throw new RunnerFailure(refusal, { next: "change the stack, or use the Pulumi CLI and AWS itself" });
    const id = `${type.split(":").at(-1)}-${name}`;
    this.#resources.set(id, { type, inputs });
    return { id, state: { ...inputs, ...COMPUTED[type]?.({ name, id, inputs, publicAddress }) } };
  }

  spec(name: string, region: string, publicAddress: string): CloudSpec {
    const parameters = this.#of("aws:ssm/parameter:Parameter").map(({ inputs }) => ({
      name: String(inputs.name),
      arn: arnOf(String(inputs.name)),
    }));
    const instances = this.#of("aws:ec2/instance:Instance").map(({ id, inputs }) =>
      this.#instance(id, inputs, publicAddress),
    );
    const routes = this.#of("aws:ec2/route:Route").flatMap(
      ({ inputs: { destinationCidrBlock, networkInterfaceId } }) => {
        const [target] = this.#of("aws:ec2/instance:Instance").filter(
          ({ id }) => interfaceOf(id) === networkInterfaceId,
        );
        return target ? [{ cidr: String(destinationCidrBlock), instance: machineOf(target) }] : [];
      },
    );
    return { name, region, instances, parameters, routes };
  }

  #instance(id: string, inputs: Inputs, publicAddress: string): CloudInstance {
    const { privateIp, ipv6Addresses, userData, sourceDestCheck, iamInstanceProfile } = inputs;
    const isEntry = this.#of("aws:ec2/eipAssociation:EipAssociation").some(({ inputs }) => inputs.instanceId === id);
    const role = iamInstanceProfile === undefined ? undefined : this.#role(String(iamInstanceProfile));
    return {
      name: machineOf({ id, inputs }),
      address: String(privateIp),
      ...(ipv6Addresses !== undefined && { addressIpv6: String((ipv6Addresses as string[])[0]) }),
      sourceDestCheck: sourceDestCheck !== false,
      ingress: this.#ingress((inputs.vpcSecurityGroupIds as string[]) ?? []),
      ...(userData !== undefined && { userData: String(userData) }),
      ...(role && { role }),
      ...(isEntry && { publicAddress }),
    };
  }

  #ingress(groups: string[]): CloudInstance["ingress"] {
    return this.#of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
      .filter(({ inputs }) => groups.includes(String(inputs.securityGroupId)))
      .map(({ inputs: { ipProtocol, fromPort, toPort, cidrIpv4, cidrIpv6, referencedSecurityGroupId } }) => ({
        protocol: ipProtocol === "-1" ? "all" : String(ipProtocol),
        ...(fromPort !== undefined && { range: [Number(fromPort), Number(toPort)] as [number, number] }),
        cidrs: [cidrIpv4 ?? cidrIpv6 ?? this.#members(String(referencedSecurityGroupId))].flat().map(String),
      }));
  }

  /** A group as a peer stands for the addresses of its members' interfaces. */
  #members(group: string): string[] {
    return this.#of("aws:ec2/instance:Instance")
      .filter(({ inputs }) => (inputs.vpcSecurityGroupIds as string[]).includes(group))
      .flatMap(({ inputs }) => [
        `${inputs.privateIp}/32`,
        ...((inputs.ipv6Addresses as string[] | undefined) ?? []).map((address) => `${address}/128`),
      ]);
  }

  #role(profile: string): CloudInstance["role"] {
    const role = this.#of("aws:iam/instanceProfile:InstanceProfile").find(({ inputs }) => nameOf(inputs, profile))
      ?.inputs.role;
    const policies = this.#of("aws:iam/rolePolicy:RolePolicy").filter(({ inputs }) => inputs.role === role);
    return { name: String(role), statements: policies.flatMap(({ inputs }) => statementsOf(String(inputs.policy))) };
  }

  #of(type: string) {
    return [...this.#resources].flatMap(([id, resource]) => (resource.type === type ? [{ id, ...resource }] : []));
  }
}

function machineOf({ id, inputs }: { id: string; inputs: Inputs }): string {
  return (inputs.tags as Record<string, string>)["ebpf-dataplane/machine"] ?? id.replace("Instance-", "");
}

const interfaceOf = (instance: string): string => `eni-${instance}`;

/** Profiles are referred to by their name: the resource's name unless the program sets another. */
function nameOf(inputs: Inputs, profile: string): boolean {
  return inputs.name === profile || inputs.role === `${profile.replace(/-profile$/, "")}-role`;
}

function statementsOf(policy: string) {
  const { Statement } = JSON.parse(policy) as {
    Statement: { Action: string | string[]; Resource: string | string[] }[];
  };
  return Statement.map(({ Action, Resource }) => ({ actions: [Action].flat(), resources: [Resource].flat() }));
}

function arnOf(parameter: string): string {
  return `arn:aws:ssm:eu-central-1:000000000000:parameter${parameter}`;
}

interface Made {
  name: string;
  id: string;
  inputs: Inputs;
  publicAddress: string;
}

/** The supported types, and the outputs that AWS would compute for them. */
const COMPUTED: Record<string, (made: Made) => Inputs> = {
  "aws:ec2/vpc:Vpc": ({ inputs }) => (inputs.assignGeneratedIpv6CidrBlock ? { ipv6CidrBlock: LAB_NETWORK_IPV6 } : {}),
  "aws:ec2/internetGateway:InternetGateway": () => ({}),
  "aws:ec2/routeTable:RouteTable": () => ({}),
  "aws:ec2/route:Route": () => ({}),
  "aws:ec2/subnet:Subnet": () => ({}),
  "aws:ec2/routeTableAssociation:RouteTableAssociation": () => ({}),
  "aws:ec2/securityGroup:SecurityGroup": () => ({}),
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": () => ({}),
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": () => ({}),
  "aws:ec2/eip:Eip": ({ publicAddress }) => ({ publicIp: publicAddress }),
  "aws:ec2/eipAssociation:EipAssociation": () => ({}),
  "aws:iam/role:Role": ({ name, inputs }) => ({ name: inputs.name ?? name }),
  "aws:iam/rolePolicy:RolePolicy": () => ({}),
  "aws:iam/instanceProfile:InstanceProfile": ({ name, inputs }) => ({ name: inputs.name ?? name }),
  "aws:ssm/parameter:Parameter": ({ inputs }) => ({ arn: arnOf(String(inputs.name)) }),
  "aws:ec2/instance:Instance": ({ id, inputs }) => ({
    privateIp: inputs.privateIp,
    publicIp: "",
    primaryNetworkInterfaceId: interfaceOf(id),
  }),
};

/** Why a resource is not supported; undefined: it is. */
function refusalOf(type: string, inputs: Inputs): string | undefined {
  if (!(type in COMPUTED)) return `a resource of type ${type} cannot be rehearsed`;
  if (type === "aws:ec2/subnet:Subnet" && inputs.cidrBlock !== LAB_NETWORK)
    return `its network is ${inputs.cidrBlock}, but a lab has only ${LAB_NETWORK}`;
  if (type === "aws:ec2/instance:Instance" && inputs.privateIp === undefined)
    return "it has no privateIp, and a lab assigns none";
  if (type === "aws:ec2/subnet:Subnet" && ![undefined, LAB_NETWORK_IPV6].includes(inputs.ipv6CidrBlock as string))
    return `its network is ${inputs.ipv6CidrBlock}, but a lab has only ${LAB_NETWORK_IPV6}`;
  const everything = inputs.ipProtocol === "-1" && (inputs.cidrIpv4 === "0.0.0.0/0" || inputs.cidrIpv6 === "::/0");
  if (type.endsWith("EgressRule") && !everything) return "it restricts outgoing traffic, which a lab does not support";
  const asWritten = inputs.cidrIpv4 ?? inputs.cidrIpv6 ?? inputs.referencedSecurityGroupId;
  if (type.endsWith("IngressRule") && asWritten === undefined)
    return "its peer is neither a network nor a security group";
  return undefined;
}
