// The largest objects that the API allows, as one namespace may create them.
import type { ApiObject } from "./api-server.ts";

const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));
const address = (first: number, index: number) => `${first + (index >> 16)}.100.${(index >> 8) & 255}.${index & 255}`;
const spread = (index: number) => `20.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;

export const largeService = (name: string, clusterIP: string, ports: number): ApiObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "loud" },
  ...{
    spec: {
      type: "ClusterIP",
      clusterIP,
      clusterIPs: [clusterIP],
      ports: times(ports, (at) => ({ name: `p${at}`, port: 1 + at, targetPort: 80, protocol: "TCP" })),
    },
  },
});

export const largeSlice = (service: string, part: number, endpoints: number, ports: number): ApiObject => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: {
    name: `${service}-${part}`,
    namespace: "loud",
    ...{ labels: { "kubernetes.io/service-name": service } },
  },
  ...{
    addressType: "IPv4",
    ports: times(ports, (at) => ({ name: `p${at}`, port: 1 + at, protocol: "TCP" })),
    endpoints: times(endpoints, (at) => ({
      addresses: [spread(part * endpoints + at)],
      nodeName: "elsewhere",
      conditions: { ready: true, serving: true, terminating: false },
    })),
  },
});

export const largePolicy = (name: string, first: number, blocks: number): ApiObject => {
  const peers = times(blocks, (at) => ({ ipBlock: { cidr: `${address(30, first + at)}/32` } }));
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace: "default" },
    ...{ spec: { podSelector: {}, policyTypes: ["Ingress"], ingress: [{ from: peers }] } },
  };
};
