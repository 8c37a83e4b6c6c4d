/** Specs that are not run unless SKIP says otherwise, by a regular expression over their names, with the reason. */
export interface LeftOut {
  pattern: string;
  why: string;
}

const always: LeftOut[] = [
  { pattern: "\\[Serial\\]|\\[Disruptive\\]", why: "they restart kubelets and nodes by SSH" },
  { pattern: "Alpha", why: "the clusters have no alpha features" },
  { pattern: "KubeProxy|kube-proxy urls", why: "they ask kube-proxy for its mode, metrics and timeouts" },
  { pattern: "configurable pod resolv.conf", why: "they run CoreDNS with a plugin that the clusters' has not" },
  { pattern: "invalid conntrack state bug", why: "it runs one more image, and asks for a rule of kube-proxy" },
  { pattern: "load balancer cleanup finalizer", why: "Kubernetes' controller for clouds sets that finalizer" },
  { pattern: "Internet connection", why: "a lab has nothing outside" },
  { pattern: "IPerf2", why: "Debian's iperf prints other fields than upstream's" },
];

/** What depends on this computer and its cluster. */
export interface Abilities {
  /** The kernel can open SCTP sockets. */
  hasSctp: boolean;
  /** The cluster has an address pool for load balancers. */
  hasBalancerPool: boolean;
}

/** The specs to leave out on a cluster. */
export function leftOutOf({ hasSctp, hasBalancerPool }: Abilities): LeftOut[] {
  return [
    ...always,
    ...(hasSctp ? [] : [{ pattern: "SCTPConnectivity", why: "the kernel has no SCTP" }]),
    ...(hasBalancerPool
      ? []
      : [{ pattern: "LoadBalancers", why: "the cluster has no pool for load balancers (setting loadBalancerPools)" }]),
  ];
}
