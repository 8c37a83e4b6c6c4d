// Kubernetes objects as programs declare them.
import type { WrittenObject } from "../declared/objects.ts";
import type { Scene } from "../reach/cast.ts";

export function deployment(
  name: string,
  more: {
    namespace?: string;
    labels?: Record<string, string>;
    node?: string;
    ports?: object[];
    replicas?: number;
  } = {},
): WrittenObject {
  const { namespace, labels = { app: name }, node, ports = [{ containerPort: 80 }], replicas = 1 } = more;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, ...(namespace && { namespace }) },
    spec: {
      replicas,
      template: {
        metadata: { labels },
        spec: {
          containers: [{ image: "nginx", ports }],
          ...(node && { nodeSelector: { "kubernetes.io/hostname": node } }),
        },
      },
    },
  };
}

export function service(name: string, spec: object = {}, metadata: object = {}): WrittenObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, ...metadata },
    spec: { type: "NodePort", selector: { app: name }, ports: [{ port: 80, nodePort: 30604 }], ...spec },
  };
}

/** A NetworkPolicy for pods of one app. */
export function policy(name: string, app: string, spec: object): WrittenObject {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name },
    spec: { podSelector: { matchLabels: { app } }, ...spec },
  };
}

/** Admits one address. */
export const from = (...cidrs: string[]) => ({
  policyTypes: ["Ingress"],
  ingress: [{ from: cidrs.map((cidr) => ({ ipBlock: { cidr } })), ports: [{ port: 80 }] }],
});

/** The walk-through's machines with these objects. */
export function scene(objects: WrittenObject[], more: Partial<Scene> = {}): Scene {
  return {
    objects,
    clients: [
      { name: "client1", address: "172.31.1.55" },
      { name: "client2", address: "172.31.1.162" },
    ],
    nodes: [
      { name: "master", address: "172.31.1.8" },
      { name: "node", address: "172.31.1.207" },
    ],
    pools: ["10.244.0.0/16"],
    keepsSource: true,
    nameService: false,
    ...more,
  };
}
