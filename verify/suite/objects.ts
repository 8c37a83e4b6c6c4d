// The objects of the suite: two namespaces, pods on one or two nodes, and Services for them.
import type { KubernetesObject } from "../../components/documents/check.ts";
import type { SuiteFacts } from "./facts.ts";

/** The suite's own namespace; the same in every run, so that a run removes what a killed one has left. */
export const NAMESPACE = "dataplane-check";
/** Another one, for policies that select namespaces. */
export const OTHER = `${NAMESPACE}-other`;

/** Ports of the servers: no server needs a privilege for them. */
export const PORTS = { open: 8080, second: 8081 };
/** The port of the Services: another one than the servers'. */
export const SERVICE_PORT = 80;

/** Setup of the suite. */
export function suiteObjects(facts: SuiteFacts): KubernetesObject[] {
  const { near, far, hostPort, nodePorts } = facts;
  const servers = podsOf(facts);
  const guarded = { role: "guarded" };
  return [
    // For the host port, which the profiles "baseline" and "restricted" forbid.
    namespace(NAMESPACE, { "pod-security.kubernetes.io/enforce": "privileged" }),
    namespace(OTHER),
    servers("client", near.name, { app: "client" }),
    servers("near", near.name, { app: "web", ...(!far && guarded) }),
    ...(far ? [servers("far", far.name, { app: "web", ...guarded })] : []),
    servers("host-port", near.name, { app: "host-port" }, { hostPort }),
    servers("visitor", near.name, { app: "visitor" }, { namespace: OTHER }),
    service("web", { app: "web" }),
    service("hairpin", { app: "client" }),
    service("guarded", guarded),
    service("same-node", { app: "web" }, { internalTrafficPolicy: "Local" }),
    service("sticky", { app: "web" }, { sessionAffinity: "ClientIP" }),
    service("nobody", { app: "nobody" }),
    service("headless", { app: "web" }, { clusterIP: "None" }),
    service("any-node", { app: "web" }, { type: "NodePort" }, nodePorts.anyNode),
    service("local-only", guarded, { type: "NodePort", externalTrafficPolicy: "Local" }, nodePorts.localOnly),
  ];
}

/** A policy of Kubernetes in the suite's namespace. */
export function policy(name: string, spec: object): KubernetesObject {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name, namespace: NAMESPACE }, spec };
}

function namespace(name: string, labels?: Record<string, string>): KubernetesObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, ...(labels && { labels }) } };
}

interface PodSettings {
  namespace?: string;
  hostPort?: number;
}

/** Pods with a probe server; `nodeName` and the toleration put them on their node whatever the scheduler thinks of it. */
function podsOf({ image }: SuiteFacts) {
  const ports = Object.values(PORTS).join(",");
  const container = {
    name: "server",
    image,
    imagePullPolicy: "IfNotPresent",
    args: ["probe-server", "--tcp", ports, "--udp", ports],
    // Without a request it gets no CPU time on a busy node.
    resources: { requests: { cpu: "20m", memory: "64Mi" } },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
  };
  const shared = {
    tolerations: [{ operator: "Exists" }],
    terminationGracePeriodSeconds: 1,
    enableServiceLinks: false,
    securityContext: { runAsNonRoot: true, runAsUser: 65_534, seccompProfile: { type: "RuntimeDefault" } },
  };
  return (
    name: string,
    nodeName: string,
    labels: Record<string, string>,
    { namespace: inside = NAMESPACE, hostPort }: PodSettings = {},
  ): KubernetesObject => {
    const claimed = (["TCP", "UDP"] as const).map((protocol) => ({ containerPort: PORTS.open, hostPort, protocol }));
    const containers = [hostPort === undefined ? container : { ...container, ports: claimed }];
    // The name under the headless Service.
    const record = labels.app === "web" && { hostname: name, subdomain: "headless" };
    const spec = { nodeName, ...record, ...shared, containers };
    return { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: inside, labels }, spec };
  };
}

function service(
  name: string,
  selector: Record<string, string>,
  settings: object = {},
  nodePort?: number,
): KubernetesObject {
  const ports = (["TCP", "UDP"] as const).map((protocol) => ({
    name: protocol.toLowerCase(),
    protocol,
    port: SERVICE_PORT,
    targetPort: PORTS.open,
    ...(nodePort !== undefined && { nodePort }),
  }));
  const spec = { ipFamilyPolicy: "PreferDualStack", ...settings, selector, ports };
  return { apiVersion: "v1", kind: "Service", metadata: { name, namespace: NAMESPACE }, spec };
}
