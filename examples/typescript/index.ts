import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Dataplane, NetworkPolicy, ReturnMode } from "ebpf-dataplane";

const config = new pulumi.Config();
const provider = new k8s.Provider("cluster", { kubeconfig: config.requireSecret("kubeconfig") });

const dataplane = new Dataplane(
  "dataplane",
  {
    // The API server's address for nodes, never a Service.
    apiServer: { host: config.require("apiServerHost"), port: 6443 },
    imageRegistry: config.require("imageRegistry"),
    returnMode: ReturnMode.Dsr,
    ipPools: [{ cidr: "10.244.0.0/16" }],
  },
  { provider },
);

new NetworkPolicy(
  "nginx",
  {
    name: "nginx",
    podSelector: { matchLabels: { app: "nginx" } },
    ingress: [{ from: [{ ipBlock: { cidr: "172.31.1.55/32" } }], ports: [{ port: 80 }] }],
  },
  { provider, dependsOn: dataplane },
);

export const namespace = dataplane.namespace;
