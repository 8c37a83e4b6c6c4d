import * as pulumi from "@pulumi/pulumi";
import type { Registered } from "./program.ts";

/** What the engine tells mocks besides inputs. */
export interface AwsProgram {
  resources: (Registered & { protect: boolean })[];
  /** The inputs of the only resource with this name and type. */
  inputsOf(type: string, name: string): Record<string, unknown>;
}

interface Monitor {
  registerResource(request: { getProtect(): boolean }, callback: unknown): Promise<void>;
}

/** Image that a search finds, unless a test has another one. */
const IMAGE = { id: "ami-0debian", name: "debian-13-20261101-1" };

const KUBECONFIG = "clusters:\n- cluster:\n    server: https://172.31.1.8:6443\n  name: kubernetes";

/** Stands in for the engine and for AWS. */
export async function recordAws({
  preview = false,
  image = IMAGE,
  architecture = "x86_64",
  refusal = "",
} = {}): Promise<AwsProgram> {
  const resources: AwsProgram["resources"] = [];
  let protect = false;
  const mocks: pulumi.runtime.Mocks = {
    newResource: ({ type, name, inputs, custom }) => {
      resources.push({ type, name, inputs, protect });
      const state = { ...inputs, ...(preview ? {} : computed(type, name, inputs)) };
      return { id: preview || !custom ? "" : `${name}-id`, state };
    },
    call: ({ token, inputs }) => {
      // What an engine gives the SDK of an error is its details.
      if (refusal) throw Object.assign(new Error(refusal), { details: refusal });
      if (token.endsWith(":getInstanceTypeOfferings")) return everywhere(inputs.filters[0].values);
      return token === "aws:ec2/getAmi:getAmi" ? { ...image, architecture } : { value: KUBECONFIG };
    },
  };
  await pulumi.runtime.setMocks(mocks, "ebpf-dataplane", "aws", preview);
  // The seam leaves out options; it calls newResource before it returns, so the request at hand is the resource's.
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const { registerResource } = monitor;
  monitor.registerResource = (request, callback) => {
    protect = request.getProtect();
    return registerResource.call(monitor, request, callback);
  };
  pulumi.runtime.setAllConfig({
    "aws:region": "eu-central-1",
    "ebpf-dataplane:adminCidrs": '["203.0.113.7/32"]',
    "ebpf-dataplane:image": "registry.example/ebpf-dataplane:0.1.0",
  });
  const inputsOf = (type: string, name: string) => {
    const found = resources.filter((resource) => resource.type === type && resource.name === name);
    if (found.length === 1) return found[0]?.inputs ?? {};
    throw new Error(`${found.length} resources are ${type} ${name}`);
  };
  return { resources, inputsOf };
}

/** A region that has every type in both of its zones. */
function everywhere(types: string[]) {
  const zones = ["eu-central-1a", "eu-central-1b"];
  return {
    instanceTypes: types.flatMap((type) => zones.map(() => type)),
    locations: types.flatMap(() => zones),
  };
}

/** Outputs that only a deployment knows. */
function computed(type: string, name: string, inputs: Record<string, unknown>): Record<string, unknown> {
  switch (type) {
    case "aws:ec2/vpc:Vpc":
      return inputs.assignGeneratedIpv6CidrBlock ? { ipv6CidrBlock: "2001:db8:0:a00::/56" } : {};
    case "aws:ec2/eip:Eip":
      return { publicIp: "198.51.100.8" };
    case "aws:ec2/instance:Instance":
      return {
        publicIp: inputs.associatePublicIpAddress ? "198.51.100.9" : "",
        primaryNetworkInterfaceId: `eni-${name}`,
      };
    case "aws:ssm/parameter:Parameter":
      return { arn: `arn:aws:ssm:eu-central-1:111122223333:parameter${inputs.name}` };
    case "aws:iam/role:Role":
      return { name: `${name}-1234567` };
    case "aws:iam/instanceProfile:InstanceProfile":
      return { name: `${name}-1234567` };
    case "aws:ec2/keyPair:KeyPair":
      return { keyName: `${name}-1234567` };
    case "command:local:Command":
      return { stdout: JSON.stringify({ passed: 4, failed: 0, rows: [] }), stderr: "" };
    default:
      return {};
  }
}
