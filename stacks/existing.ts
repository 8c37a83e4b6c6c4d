import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter } from "node:path";
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

// An existing cluster without a network plugin. Its kubeconfig is that of kubectl (KUBECONFIG, or ~/.kube/config), unless a setting has it:
//   pulumi config set --secret ebpf-dataplane:kubeconfig < FILE      or     ebpf-dataplane:kubeconfigPath: FILE
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
const kubeconfig = config.getSecret("kubeconfig") ?? pulumi.secret(readKubeconfig());
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

function readKubeconfig(): string {
  const path = config.get("kubeconfigPath");
  const [first = "~/.kube/config", ...others] = path ? [path] : kubectlsFiles();
  if (others.length > 0) {
    const one = "kubectl config view --raw --flatten --minify > FILE makes one of them";
    throw new pulumi.RunError(
      `Stack "${pulumi.getStack()}": KUBECONFIG is "${process.env.KUBECONFIG}", but must be one file here: ${one}.`,
    );
  }
  const named = path ? "ebpf-dataplane:kubeconfigPath" : process.env.KUBECONFIG ? "KUBECONFIG" : "the kubeconfig";
  try {
    return readFileSync(first.replace(/^~/, homedir()), "utf8");
  } catch (error) {
    const next = path
      ? ""
      : " Set KUBECONFIG, ebpf-dataplane:kubeconfigPath or, as a secret, ebpf-dataplane:kubeconfig.";
    throw new pulumi.RunError(
      `Stack "${pulumi.getStack()}": ${named} is "${first}", but must be a readable file: ${(error as Error).message}.${next}`,
    );
  }
}

/** Those of KUBECONFIG that exist, as kubectl reads it: the first one, if none does. */
function kubectlsFiles(): string[] {
  const named = (process.env.KUBECONFIG ?? "").split(delimiter).filter(Boolean);
  const found = named.filter((path) => existsSync(path));
  return found.length > 0 ? found : named.slice(0, 1);
}
