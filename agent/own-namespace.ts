import { AGENT } from "../components/dataplane/names.ts";

/** The namespace of the agent's pod, by the DaemonSet; its Leases are there, and a kube-proxy that is deployed beside it. */
export const ownNamespace = (): string => process.env.POD_NAMESPACE || AGENT;
