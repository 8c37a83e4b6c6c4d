import { describe, expect, test } from "vitest";
import { ReturnMode, ServiceHandling } from "./args.ts";
import { kubeProxyObjects } from "./kube-proxy.ts";
import { handOver } from "./service-handling.ts";

const options = { namespace: "ebpf-dataplane", image: "kube-proxy:1", apiServer: { host: "172.31.1.8", port: "6443" } };
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

describe.each([
  [ServiceHandling.KubeProxyIptables, "iptables"],
  [ServiceHandling.KubeProxyNftables, "nftables"],
] as const)("kube-proxy for %s", (handling, mode) => {
  const { daemonSet, configMap, binding } = plain(kubeProxyObjects(handling, options));
  const container = daemonSet.spec.template.spec.containers[0];

  test("finds the API server by its own address, not by the service that it implements", () => {
    expect(container.env).toContainEqual({ name: "KUBERNETES_SERVICE_HOST", value: "172.31.1.8" });
    expect(container.env).toContainEqual({ name: "KUBERNETES_SERVICE_PORT", value: "6443" });
  });

  test("leaves the node's connection tracking as it is, and takes the agent's interfaces for local", () => {
    const configuration = JSON.parse(configMap.data["config.conf"]);
    expect(configuration).toMatchObject({
      mode,
      conntrack: { maxPerCore: 0 },
      detectLocal: { interfaceNamePrefix: "ebpf" },
    });
  });

  test("is ready when its rules are written", () => {
    expect(container.readinessProbe.exec.command.join(" ")).toMatch(
      mode === "iptables" ? /--list KUBE-POSTROUTING/ : /^nft list chain ip kube-proxy/,
    );
  });

  test("has the role that Kubernetes keeps for it", () => {
    expect(binding.roleRef.name).toBe("system:node-proxier");
    expect(binding.subjects).toEqual([{ kind: "ServiceAccount", name: "kube-proxy", namespace: "ebpf-dataplane" }]);
  });
});

test("another mode replaces kube-proxy's pods", () => {
  const digest = (handling: Parameters<typeof kubeProxyObjects>[0]) =>
    plain(kubeProxyObjects(handling, options)).daemonSet.spec.template.metadata.annotations;
  expect(digest(ServiceHandling.KubeProxyIptables)).not.toEqual(digest(ServiceHandling.KubeProxyNftables));
});

describe("handOver()", () => {
  const kinds = (objects: { kind?: unknown }[]) => objects.map(({ kind }) => kind);

  test("to kube-proxy: first it runs, then the agents leave services to it", () => {
    const { before, configuration, after } = handOver(ServiceHandling.KubeProxyNftables, ReturnMode.Dsr, options);
    expect(kinds(before)).toEqual(["ServiceAccount", "ClusterRoleBinding", "ConfigMap", "DaemonSet"]);
    expect(configuration).toEqual({
      apiVersion: "projectcalico.org/v3",
      kind: "FelixConfiguration",
      metadata: { name: "default", annotations: { "ebpf-dataplane.io/service-handling": "KubeProxyNftables" } },
      spec: { bpfExternalServiceMode: "DSR" },
    });
    expect(after).toEqual([]);
  });

  test("back: first the agents handle services again, then kube-proxy goes", () => {
    const { before, configuration, after } = handOver(ServiceHandling.Ebpf, ReturnMode.Tunnel, options);
    expect(before).toEqual([]);
    expect(configuration).toMatchObject({
      metadata: { annotations: { "ebpf-dataplane.io/service-handling": "Ebpf" } },
      spec: { bpfExternalServiceMode: "Tunnel" },
    });
    expect(kinds(after)).toEqual(["DaemonSet", "ConfigMap", "ClusterRoleBinding", "ServiceAccount"]);
  });
});
