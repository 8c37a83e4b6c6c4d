// The parts of the AWS SDK that components use. Its own declarations are 14 MB, which every TypeScript program that imports this package,
// and the analyzer that infers the schema, would have to read. sdk-types.test.ts compares these types with them.
import type * as pulumi from "@pulumi/pulumi";

type Text = pulumi.Input<string>;
type Tags = Record<string, Text>;

/** A class of resources. */
export type ResourceClass<Args, Made = object> = new (
  name: string,
  args: Args,
  opts?: pulumi.CustomResourceOptions,
) => pulumi.CustomResource & Made;

/** A function that requests data from AWS. */
export type Lookup<Args, Found> = (args: Args, opts?: pulumi.InvokeOutputOptions) => pulumi.Output<Found>;

/** The modules of the SDK. */
export interface AwsSdk {
  ec2: Ec2;
  eks: Eks;
  iam: Iam;
  ssm: Ssm;
  vpc: Vpc;
}

interface Ec2 {
  Vpc: ResourceClass<
    {
      cidrBlock: Text;
      enableDnsSupport: boolean;
      enableDnsHostnames: boolean;
      assignGeneratedIpv6CidrBlock?: boolean;
      tags: Tags;
    },
    { ipv6CidrBlock: pulumi.Output<string> }
  >;
  Subnet: ResourceClass<{ vpcId: Text; cidrBlock: Text; ipv6CidrBlock?: Text; availabilityZone?: Text; tags: Tags }>;
  InternetGateway: ResourceClass<{ vpcId: Text; tags: Tags }>;
  EgressOnlyInternetGateway: ResourceClass<{ vpcId: Text; tags: Tags }>;
  RouteTable: ResourceClass<{ vpcId: Text; tags: Tags }>;
  Route: ResourceClass<{
    routeTableId: Text;
    destinationCidrBlock?: Text;
    destinationIpv6CidrBlock?: Text;
    gatewayId?: Text;
    egressOnlyGatewayId?: Text;
    networkInterfaceId?: Text;
  }>;
  RouteTableAssociation: ResourceClass<{ subnetId: Text; routeTableId: Text }>;
  SecurityGroup: ResourceClass<{ vpcId: Text; description: Text; tags: Tags }>;
  KeyPair: ResourceClass<{ publicKey: Text; tags: Tags }, { keyName: pulumi.Output<string> }>;
  Eip: ResourceClass<{ domain: Text; tags: Tags }, { publicIp: pulumi.Output<string> }>;
  EipAssociation: ResourceClass<{ allocationId: Text; instanceId: Text }>;
  Instance: ResourceClass<
    InstanceArgs,
    {
      privateIp: pulumi.Output<string>;
      publicIp: pulumi.Output<string>;
      primaryNetworkInterfaceId: pulumi.Output<string>;
    }
  >;
  getAmiOutput: Lookup<
    { owners?: string[]; mostRecent?: boolean; includeDeprecated?: boolean; filters: Filter[] },
    { id: string; name: string; architecture: string }
  >;
  getInstanceTypeOfferings(
    args: { locationType: string; filters: Filter[] },
    opts?: pulumi.InvokeOptions,
  ): Promise<{ instanceTypes: string[]; locations: string[] }>;
}

interface Filter {
  name: string;
  values: string[];
}

interface InstanceArgs {
  ami: Text;
  instanceType: Text;
  subnetId: Text;
  privateIp: Text;
  ipv6Addresses?: Text[];
  vpcSecurityGroupIds: Text[];
  sourceDestCheck: boolean;
  associatePublicIpAddress: boolean;
  metadataOptions: { httpEndpoint: string; httpTokens: string; httpPutResponseHopLimit: number };
  rootBlockDevice: { encrypted: boolean; volumeType: string; volumeSize: pulumi.Input<number>; tags: Tags };
  tags: Tags;
  keyName?: Text;
  iamInstanceProfile?: Text;
  userData?: Text;
  instanceMarketOptions?: { marketType: string; spotOptions: { spotInstanceType: string } };
}

/** Used by a program (stacks/eks.ts), not by a component. */
interface Eks {
  Cluster: ResourceClass<
    ClusterArgs,
    {
      name: pulumi.Output<string>;
      endpoint: pulumi.Output<string>;
      certificateAuthority: pulumi.Output<{ data: string }>;
    }
  >;
  NodeGroup: ResourceClass<{
    clusterName: Text;
    nodeRoleArn: Text;
    subnetIds: Text[];
    amiType: string;
    instanceTypes: string[];
    scalingConfig: { minSize: number; desiredSize: number; maxSize: number };
    tags: Tags;
  }>;
  Addon: ResourceClass<{ clusterName: Text; addonName: string; tags: Tags }>;
}

interface ClusterArgs {
  roleArn: Text;
  version: string;
  bootstrapSelfManagedAddons: boolean;
  kubernetesNetworkConfig: { serviceIpv4Cidr: string };
  vpcConfig: { subnetIds: Text[]; endpointPrivateAccess: boolean; publicAccessCidrs: string[] };
  accessConfig: { authenticationMode: string; bootstrapClusterCreatorAdminPermissions: boolean };
  tags: Tags;
}

interface Iam {
  Role: ResourceClass<
    { assumeRolePolicy: string; tags: Tags },
    { name: pulumi.Output<string>; arn: pulumi.Output<string> }
  >;
  RolePolicy: ResourceClass<{ role: Text; policy: Text }>;
  RolePolicyAttachment: ResourceClass<{ role: Text; policyArn: Text }>;
  InstanceProfile: ResourceClass<{ role: Text; tags: Tags }, { name: pulumi.Output<string> }>;
}

interface Ssm {
  Parameter: ResourceClass<
    { name: Text; type: string; value: Text; description: string; tags: Tags },
    { name: pulumi.Output<string>; arn: pulumi.Output<string> }
  >;
  getParameterOutput: Lookup<{ name: Text; withDecryption: boolean }, { value: string }>;
}

interface Rule {
  securityGroupId: Text;
  description: string;
  ipProtocol: string;
  cidrIpv4?: Text;
  cidrIpv6?: Text;
  tags: Tags;
}

interface Vpc {
  SecurityGroupIngressRule: ResourceClass<
    Rule & { fromPort?: number; toPort?: number; referencedSecurityGroupId?: Text }
  >;
  SecurityGroupEgressRule: ResourceClass<Rule>;
}
