import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Dataplane, ReturnMode } from "../components";

// A cluster of yours, made without kube-proxy and without a network plugin:
//   pulumi config set --secret ebpf-dataplane:kubeconfig < ~/.kube/config
const config = new pulumi.Config("ebpf-dataplane");
const provider = new k8s.Provider("kubernetes", { kubeconfig: config.requireSecret("kubeconfig") });

const dataplane = new Dataplane(
  "dataplane",
  {
    apiServer: { host: config.require("apiServerHost"), port: config.getNumber("apiServerPort") ?? 6443 },
    image: config.get("image"),
    imageRegistry: config.get("imageRegistry"),
    returnMode: config.get<ReturnMode>("returnMode") ?? ReturnMode.Dsr,
    ipPools: [{ cidr: config.get("podSubnet") ?? "10.244.0.0/16" }],
    serviceSubnet: config.get("serviceSubnet") ?? "10.96.0.0/12",
  },
  { provider },
);

export const namespace = dataplane.namespace;
