import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { awsSdk } from "../components/aws/sdk.ts";
import { Dataplane, ReturnMode } from "../components/index.ts";
import { Settings } from "./settings.ts";

// A cluster on EKS where the dataplane handles services, the pods' network and policies: without the VPC CNI and the kube-proxy add-on.
// Never run on EKS itself; see docs/eks.md. In your own program: import { eks, iam } from "@pulumi/aws".
const { eks, iam } = awsSdk();
const config = new Settings(["subnetIds", "kubernetesVersion", "adminCidrs", "imageRegistry", "instanceType"]);
// At least two zones, with internet access for the nodes.
const subnetIds = config.requireObject<string[]>("subnetIds");
const serviceSubnet = "10.100.0.0/16";
const tags = { "ebpf-dataplane/cluster": pulumi.getStack() };

const role = (name: string, service: string, policies: string[]) => {
  const Statement = [{ Effect: "Allow", Principal: { Service: service }, Action: ["sts:AssumeRole"] }];
  const made = new iam.Role(name, { assumeRolePolicy: JSON.stringify({ Version: "2012-10-17", Statement }), tags });
  const attached = policies.map(
    (policy) =>
      new iam.RolePolicyAttachment(`${name}-${policy}`, {
        role: made.name,
        policyArn: `arn:aws:iam::aws:policy/${policy}`,
      }),
  );
  return { arn: made.arn, attached };
};

const control = role("cluster-role", "eks.amazonaws.com", ["AmazonEKSClusterPolicy"]);
const cluster = new eks.Cluster(
  "cluster",
  {
    roleArn: control.arn,
    version: config.get("kubernetesVersion") ?? "1.34",
    // No VPC CNI, no kube-proxy, and no CoreDNS before there is a network for it.
    bootstrapSelfManagedAddons: false,
    kubernetesNetworkConfig: { serviceIpv4Cidr: serviceSubnet },
    vpcConfig: {
      subnetIds,
      endpointPrivateAccess: true,
      publicAccessCidrs: config.requireObject<string[]>("adminCidrs"),
    },
    accessConfig: { authenticationMode: "API", bootstrapClusterCreatorAdminPermissions: true },
    tags,
  },
  { dependsOn: control.attached },
);
const kubeconfig = pulumi
  .all([cluster.name, cluster.endpoint, cluster.certificateAuthority])
  .apply(([name, server, { data }]) => kubeconfigOf(name, server, data));
// The cluster's objects are deleted together with it.
const provider = new k8s.Provider("kubernetes", { kubeconfig, deleteUnreachable: true });

// Before the nodes: a node group is complete only when its nodes are Ready, and they are Ready only with a network.
const dataplane = new Dataplane(
  "dataplane",
  {
    apiServer: cluster.endpoint.apply((endpoint) => ({ host: new URL(endpoint).hostname, port: 443 })),
    imageRegistry: config.require("imageRegistry"),
    serviceSubnet,
    // Nodes of a managed group keep EC2's source/destination check, which drops DSR replies.
    returnMode: ReturnMode.Tunnel,
  },
  { provider },
);

// Pods have addresses from the dataplane's pools, so nodes need no permission to assign VPC addresses (AmazonEKS_CNI_Policy).
const worker = role("node-role", "ec2.amazonaws.com", [
  "AmazonEKSWorkerNodePolicy",
  "AmazonEC2ContainerRegistryPullOnly",
]);
const nodes = new eks.NodeGroup(
  "nodes",
  {
    clusterName: cluster.name,
    nodeRoleArn: worker.arn,
    subnetIds,
    // Linux 6.1 or later, with BTF and cgroup2.
    amiType: "AL2023_x86_64_STANDARD",
    instanceTypes: [config.get("instanceType") ?? "t3.medium"],
    scalingConfig: { minSize: 2, desiredSize: 2, maxSize: 4 },
    tags,
  },
  { dependsOn: [dataplane, ...worker.attached] },
);
new eks.Addon("coredns", { clusterName: cluster.name, addonName: "coredns", tags }, { dependsOn: nodes });

export const namespace = dataplane.namespace;
export const clusterName = cluster.name;

/** Authenticates with the AWS CLI and its current credentials. JSON is valid YAML. */
function kubeconfigOf(name: string, server: string, authority: string): string {
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1beta1",
    command: "aws",
    args: ["eks", "get-token", "--cluster-name", name],
  };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    clusters: [{ name, cluster: { server, "certificate-authority-data": authority } }],
    users: [{ name, user: { exec } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  });
}
