import { readFileSync } from "node:fs";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import {
  Dataplane,
  type DataplaneArgs,
  ExistingCluster,
  ExistingKubeProxy,
  type FlowLog,
  type FlowLogsLocalReporter,
  KubeProxyRemoval,
  type OtherNetworkPlugin,
  ReturnMode,
  type ServiceHandling,
  type ServiceMetrics,
  SourceIpVerification,
  type SourceIpVerificationArgs,
} from "../components/index.ts";
import { Settings } from "./settings.ts";

// An existing cluster without a network plugin. Its kubeconfig:
//   pulumi config set --secret ebpf-dataplane:kubeconfig < ~/.kube/config      or     ebpf-dataplane:kubeconfigPath: PATH
const config = new Settings([
  "kubeconfig",
  "kubeconfigPath",
  "existingKubeProxy",
  "apiServerHost",
  "apiServerPort",
  "image",
  "imageRegistry",
  "returnMode",
  "serviceHandling",
  "flowLog",
  "flowLogsLocalReporter",
  "serviceMetrics",
  "kubeProxyImage",
  "podSubnet",
  "serviceSubnet",
  "mtu",
  "otherNetworkPlugin",
  "clusterId",
  "verification",
]);
const kubeconfig = config.getSecret("kubeconfig") ?? pulumi.secret(readKubeconfig(config.require("kubeconfigPath")));
const existingKubeProxy = config.get<ExistingKubeProxy>("existingKubeProxy") ?? ExistingKubeProxy.Refuse;

const args: DataplaneArgs = {
  apiServer: { host: config.require("apiServerHost"), port: config.getNumber("apiServerPort") ?? 6443 },
  image: config.get("image"),
  imageRegistry: config.get("imageRegistry"),
  returnMode: config.get<ReturnMode>("returnMode") ?? ReturnMode.Dsr,
  serviceHandling: config.get<ServiceHandling>("serviceHandling"),
  kubeProxyImage: config.get("kubeProxyImage"),
  flowLog: config.getObject<FlowLog>("flowLog"),
  flowLogsLocalReporter: config.get<FlowLogsLocalReporter>("flowLogsLocalReporter"),
  serviceMetrics: config.getObject<ServiceMetrics>("serviceMetrics"),
  ipPools: [{ cidr: config.get("podSubnet") ?? "10.244.0.0/16" }],
  serviceSubnet: config.get("serviceSubnet") ?? "10.96.0.0/12",
  mtu: config.getNumber("mtu"),
};

// The preflight runs first: a blocking finding ends the deployment before anything is changed.
const cluster = new ExistingCluster("cluster", {
  kubeconfig,
  dataplane: args,
  existingKubeProxy,
  otherNetworkPlugin: config.get<OtherNetworkPlugin>("otherNetworkPlugin"),
  clusterId: config.get("clusterId"),
});
const provider = new k8s.Provider("kubernetes", { kubeconfig: cluster.kubeconfig });
const dataplane = new Dataplane("dataplane", args, { provider, dependsOn: cluster });

// kube-proxy is removed once the dataplane handles services, and restored before the dataplane is removed.
if (existingKubeProxy === ExistingKubeProxy.Remove) {
  const meant = config.get("clusterId") ?? cluster.clusterId;
  new KubeProxyRemoval("kube-proxy", { kubeconfig, clusterId: meant }, { dependsOn: dataplane });
}

// Verifies an existing service, if the configuration names one.
const verify = config.getObject<Omit<SourceIpVerificationArgs, "kubeconfig">>("verification");
if (verify !== undefined && (typeof verify !== "object" || verify === null || Array.isArray(verify)))
  config.refuse("verification", verify, "an object with the arguments of SourceIpVerification");
const verification =
  verify &&
  new SourceIpVerification(
    "source-ip",
    {
      returnMode: args.returnMode,
      serviceHandling: args.serviceHandling,
      ...verify,
      kubeconfig,
      triggers: [dataplane.contentHash],
    },
    { dependsOn: dataplane },
  );

export const namespace = dataplane.namespace;
export const clusterId = cluster.clusterId;
export const sourceAddressPreserved = verification?.verdict ?? "not requested: set ebpf-dataplane:verification";

function readKubeconfig(path: string): string {
  try {
    return readFileSync(path.replace(/^~/, process.env.HOME ?? "~"), "utf8");
  } catch (error) {
    throw new pulumi.RunError(
      `ebpf-dataplane:kubeconfigPath is "${path}", but must be a readable file: ${(error as Error).message}.`,
    );
  }
}
