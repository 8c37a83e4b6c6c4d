// A stack's resources, as a program would declare them.
import type { WrittenObject } from "../declared/objects.ts";
import type { Resource } from "../resource.ts";

const prefix = "urn:pulumi:dev::shop::";

export function resource(type: string, name: string, inputs: object = {}, more: Partial<Resource> = {}): Resource {
  const urn = `${prefix}${type}::${name}`;
  return { type, name, urn, parent: "", inputs: { ...inputs }, references: {}, provider: "", ...more };
}

/** An object of the provider `kubernetes`. */
export function object(written: WrittenObject): Resource {
  const { apiVersion = "v1", kind = "", metadata } = written;
  const provider = `${prefix}pulumi:providers:kubernetes::kubernetes::id`;
  return resource(`kubernetes:${apiVersion === "v1" ? "core/v1" : apiVersion}:${kind}`, metadata?.name ?? "", written, {
    provider,
  });
}

export const urnOf = (type: string, name: string): string => `${prefix}${type}::${name}`;

export interface DataplaneChoice {
  returnMode?: "DSR" | "Tunnel";
  handling?: string;
  pool?: string;
  poolIpv6?: string;
  vxlanMode?: string;
  /** In its place. */
  ipipMode?: string;
  encrypts?: boolean;
  settings?: object;
  image?: string;
  xdp?: string;
}

/** The objects of `Dataplane` that a preview reads. */
export function dataplane(choice: DataplaneChoice = {}): Resource[] {
  const { returnMode = "DSR", handling = "Ebpf", pool = "10.244.0.0/16", vxlanMode = "CrossSubnet", poolIpv6 } = choice;
  const modes = choice.ipipMode ? { ipipMode: choice.ipipMode } : { vxlanMode };
  const { settings = { serviceSubnet: "10.96.0.0/12" }, image = "images.example.com/ebpf-dataplane:0.1.0" } = choice;
  const { xdp } = choice;
  const annotations = { "ebpf-dataplane.io/service-handling": handling, ...(xdp && { "ebpf-dataplane.io/xdp": xdp }) };
  const calico = "projectcalico.org/v3";
  const agent = { name: "ebpf-dataplane", namespace: "ebpf-dataplane" };
  const spec = { hostNetwork: true, containers: [{ image }] };
  return [
    {
      apiVersion: calico,
      kind: "FelixConfiguration",
      metadata: { name: "default", annotations },
      spec: { bpfExternalServiceMode: returnMode, ...(choice.encrypts && { wireguardEnabled: true }) },
    },
    { apiVersion: calico, kind: "IPPool", metadata: { name: "default-ipv4-ippool" }, spec: { cidr: pool, ...modes } },
    ...(poolIpv6
      ? [
          {
            apiVersion: calico,
            kind: "IPPool",
            metadata: { name: "default-ipv6-ippool" },
            spec: { cidr: poolIpv6, vxlanMode },
          },
        ]
      : []),
    { kind: "ConfigMap", metadata: agent, data: { "settings.json": JSON.stringify(settings) } },
    { apiVersion: "apps/v1", kind: "DaemonSet", metadata: agent, spec: { template: { spec } } },
  ].map(object);
}

/** A cluster on EC2 with these machines, and its provider. */
export function awsCluster(
  machines: { name: string; role: string; address: string; inputs?: object }[],
  inputs: object = {},
): Resource[] {
  const type = "ebpf-dataplane:index:AwsCluster";
  const parent = urnOf(type, "cluster");
  const kubeconfig = resource("command:local:Command", "cluster-control-plane", {}, { parent });
  return [
    resource(type, "cluster", inputs),
    kubeconfig,
    resource("aws:ec2/vpc:Vpc", "cluster-vpc", { cidrBlock: "172.31.0.0/16" }, { parent }),
    ...machines.map(({ name, role, address, inputs }) =>
      resource(
        "aws:ec2/instance:Instance",
        `cluster-${name}`,
        {
          instanceType: "t3.medium",
          privateIp: address,
          sourceDestCheck: false,
          tags: { "ebpf-dataplane/machine": name, "ebpf-dataplane/role": role },
          ...inputs,
        },
        { parent },
      ),
    ),
    resource("pulumi:providers:kubernetes", "kubernetes", {}, { references: { kubeconfig: [kubeconfig.urn] } }),
  ];
}

export const twoNodesAndAClient = [
  { name: "master", role: "control-plane", address: "172.31.1.8" },
  { name: "node", role: "worker", address: "172.31.1.207" },
  { name: "client1", role: "client", address: "172.31.1.55" },
];
