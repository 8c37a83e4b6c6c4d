import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { IpPoolUse } from "../ip-pool/args.ts";
import { recordResources, settled } from "../testing/program.ts";
import { type DataplaneArgs, MetricsAddress, ServiceHandling } from "./args.ts";
import { Dataplane } from "./component.ts";

const apiServer = { host: "172.31.1.8", port: 6443 };

async function declared(args: Partial<DataplaneArgs>) {
  const resources = await recordResources();
  new Dataplane("dp", { apiServer, ...args });
  await settled();
  return resources;
}

test("everything of the dataplane's is in its namespace, which is not made unless that is asked", async () => {
  const resources = await declared({
    namespace: pulumi.output("net"),
    serviceHandling: ServiceHandling.KubeProxyNftables,
    loadBalancer: true,
    ipPools: [{ cidr: "10.244.0.0/16" }, { name: "lb", cidr: "192.0.2.0/24", allowedUses: [IpPoolUse.LoadBalancer] }],
    bgp: { nodeMeshPassword: { secretKeyRef: { name: "mesh", key: "password" } } },
    bgpPeers: [
      {
        name: "tor",
        peerIP: "192.0.2.1",
        asNumber: 64512,
        password: { secretKeyRef: { name: "tor", key: "password" } },
      },
    ],
    metricsAddress: MetricsAddress.Any,
    monitoring: { serviceMonitor: {}, prometheusRule: {}, dashboards: {} },
  });
  expect(resources.filter(({ type }) => type.endsWith(":Namespace"))).toEqual([]);
  const objects = resources.map(({ inputs }) => inputs as { kind?: string; metadata?: { namespace?: string } });
  const namespaced = objects.filter(({ metadata }) => metadata?.namespace !== undefined);
  expect(new Set(namespaced.map(({ metadata }) => metadata?.namespace))).toEqual(new Set(["net"]));
  const kinds = new Set(namespaced.map(({ kind }) => kind));
  for (const kind of ["DaemonSet", "ServiceAccount", "ConfigMap", "Role", "RoleBinding", "ServiceMonitor"])
    expect(kinds).toContain(kind);
  // Nothing speaks of the default one: subjects of bindings, users of admission policies, namespaces of selectors, names of certificates.
  expect(JSON.stringify(objects)).not.toMatch(
    /namespaces?":\["?ebpf-dataplane"|"namespace":"ebpf-dataplane"|:ebpf-dataplane:/,
  );
  expect(JSON.stringify(objects)).toContain("system:serviceaccount:net:ebpf-dataplane");
});

test.each<[Partial<DataplaneArgs>, string]>([
  [{}, "ebpf-dataplane"],
  [{ namespace: "net", createNamespace: true }, "net"],
])("%o makes a namespace that admits privileged pods", async (args, name) => {
  const namespaces = (await declared(args)).filter(({ type }) => type.endsWith(":Namespace"));
  expect(namespaces.map(({ inputs }) => inputs.metadata)).toEqual([
    {
      name,
      labels: {
        "k8s-app": "ebpf-dataplane",
        "pod-security.kubernetes.io/enforce": "privileged",
        "pod-security.kubernetes.io/audit": "privileged",
        "pod-security.kubernetes.io/warn": "privileged",
      },
    },
  ]);
});

test.each([
  [{ namespace: "kube-system" }, 'namespace is "kube-system", but must be a namespace apart from Kubernetes\' own'],
  [{ namespace: "default" }, 'namespace is "default"'],
  [{ namespace: "Net" }, 'namespace is "Net"'],
  [{ createNamespace: false }, "createNamespace is false"],
  [{ volumes: [] }, `unknown key "volumes"; the agents' pods have exactly what the dataplane needs`],
  [{ extraVolumes: [] }, `unknown key "extraVolumes"; the agents' pods have exactly what the dataplane needs`],
])("%o is refused", async (args, words) => {
  await recordResources();
  expect(() => new Dataplane("dp", { apiServer, ...(args as object) })).toThrow(words);
});
