/** DaemonSet, ServiceAccount, ConfigMap, role and binding of the node agent all have this name, and its namespace unless the program says another. */
export const AGENT = "ebpf-dataplane";

/** Name of the agent's rights as a load balancer. */
export const BALANCER = `${AGENT}-load-balancer`;

/** Name of the agent's right to publish keys. */
export const ENCRYPTION = `${AGENT}-encryption`;

/** Labels of everything that belongs to the agent; `k8s-app` selects its pods. */
export const AGENT_LABELS = { "k8s-app": AGENT };

/** Label and value of the nodes that agents can run on. */
export const OPERATING_SYSTEM = ["kubernetes.io/os", "linux"] as const;

/** Ports of the node's own network on which the agent listens. */
export const AGENT_PORTS = { health: 9099, metrics: 9098 };
