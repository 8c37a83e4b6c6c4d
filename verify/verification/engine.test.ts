import type { V1DaemonSet } from "@kubernetes/client-node";
import { expect, test } from "vitest";
import { engineOf } from "./engine.ts";

const daemonSet = (namespace: string, name: string, desired = 2): V1DaemonSet => ({
  metadata: { namespace, name },
  spec: {
    selector: {},
    template: { spec: { containers: [{ name: "agent", image: "ebpf-dataplane:0.1.0" }] } },
  },
  status: { currentNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0, desiredNumberScheduled: desired },
});
const own = daemonSet("ebpf-dataplane", "ebpf-dataplane");
const proxy = daemonSet("kube-system", "kube-proxy");

test.each([
  [[own], { serviceHandling: "Ebpf", returnMode: "DSR" }, "ebpf-dataplane:0.1.0, Services by Ebpf, replies DSR"],
  // Replies are kube-proxy's own affair.
  [
    [own, proxy],
    { serviceHandling: "KubeProxyIptables", returnMode: "DSR" },
    "ebpf-dataplane:0.1.0, Services by KubeProxyIptables, kube-proxy",
  ],
  [[daemonSet("kube-flannel", "kube-flannel-ds"), proxy], {}, "Flannel, kube-proxy"],
  // A DaemonSet that selects no node does nothing; a tenant's name does not make it ours.
  [[daemonSet("kube-system", "kube-proxy", 0), daemonSet("tenant", "ebpf-dataplane")], {}, undefined],
])("an engine in words, by the cluster's objects", (daemonSets, modes, words) =>
  expect(engineOf(daemonSets, modes, "ebpf-dataplane")).toBe(words),
);
