// Packets in the words of policies: who sends what to whom.
import { maySend, type Party, type Policy } from "../../model/network-policy.ts";
import { backendAddress, pods, policies } from "../../packets/cluster.ts";
import type { Flow } from "./flow.ts";
import { PROTOCOLS } from "./places.ts";

export function maySendAs(name: string, flow: Flow): boolean {
  return maySend(policies as Policy[], traffic(party(backendAddress(name)), flow));
}

export function traffic(from: Party, flow: Flow) {
  const protocol = PROTOCOLS[flow.protocol] ?? String(flow.protocol);
  return { from, to: party(flow.destination), protocol, port: protocol === "ICMP" ? 0 : flow.destinationPort };
}

export function party(address: string): Party {
  const pod = pods.find((item) => item.address === address);
  if (!pod) return { address };
  return {
    address,
    namespace: "default",
    namespaceLabels: { "kubernetes.io/metadata.name": "default" },
    labels: pod.labels,
  };
}
