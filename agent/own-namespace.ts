import { AGENT } from "../components/dataplane/names.ts";

/** The namespace of the agent's pod, set by the DaemonSet. The agents' Leases are there, and a kube-proxy that is deployed beside them. */
export const ownNamespace = (): string => process.env.POD_NAMESPACE || AGENT;
