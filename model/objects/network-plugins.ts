/** How to recognize a network plugin in a cluster. */
interface KnownPlugin {
  name: string;
  /** Names of its DaemonSets. */
  daemonSet: RegExp;
  /** Plugin types in the configuration that it writes on nodes. */
  types: string[];
}

export const networkPlugins: readonly KnownPlugin[] = [
  { name: "Calico", daemonSet: /^(calico-node|canal)$/, types: ["calico", "calico-ipam"] },
  { name: "Cilium", daemonSet: /^(cilium|anetd)$/, types: ["cilium-cni"] },
  { name: "Flannel", daemonSet: /^(kube-)?flannel(-ds.*)?$/, types: ["flannel"] },
  { name: "AWS VPC CNI", daemonSet: /^aws-node$/, types: ["aws-cni"] },
  { name: "Azure CNI", daemonSet: /^azure-(cni|cns|npm)$/, types: ["azure-vnet"] },
  { name: "Antrea", daemonSet: /^antrea-agent$/, types: ["antrea"] },
  { name: "Weave Net", daemonSet: /^weave-net$/, types: ["weave-net"] },
  { name: "kube-router", daemonSet: /^kube-router$/, types: [] },
  { name: "OVN-Kubernetes", daemonSet: /^ovnkube-node$/, types: ["ovn-k8s-cni-overlay"] },
  { name: "Kube-OVN", daemonSet: /^kube-ovn-cni$/, types: ["kube-ovn"] },
  { name: "kindnet", daemonSet: /^kindnet$/, types: [] },
];

/** The one that a DaemonSet belongs to, by its name. */
export const networkPluginOf = ({ metadata }: { metadata?: { name?: string } }): KnownPlugin | undefined =>
  networkPlugins.find(({ daemonSet }) => daemonSet.test(metadata?.name ?? ""));
