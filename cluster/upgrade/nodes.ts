import type { V1Node } from "@kubernetes/client-node";
import { plainRelease } from "../../components/release/kubernetes-release.ts";
import { listObjects } from "../../kubernetes/get.ts";
import { patchObject } from "../../kubernetes/patch.ts";
import type { Api } from "../../kubernetes/transport.ts";

/** The part of a node that an upgrade uses. */
export interface NodeState {
  name: string;
  /** Its kubelet's release, such as "v1.35.0". */
  release: string;
  isControlPlane: boolean;
  isReady: boolean;
  isCordoned: boolean;
  /** Cordoned by an upgrade, which uncordons it. */
  isOurs: boolean;
  /** Go's name, such as "amd64". */
  architecture: string;
}

/** On nodes that an upgrade has cordoned, so that the next run after an interruption recognizes them. */
const MARK = "ebpf-dataplane.io/cordoned-for-upgrade";

/** All nodes, the control plane first: kubelets may be older than their API server, never newer. */
export async function survey(api: Api): Promise<NodeState[]> {
  const nodes = await listObjects<V1Node>(api, "/api/v1/nodes");
  return nodes.map(stateOf).sort((one, other) => Number(other.isControlPlane) - Number(one.isControlPlane));
}

export function stateOf({ metadata, spec, status }: V1Node): NodeState {
  return {
    name: metadata?.name ?? "",
    release: plainRelease(status?.nodeInfo?.kubeletVersion ?? ""),
    isControlPlane: metadata?.labels?.["node-role.kubernetes.io/control-plane"] !== undefined,
    isReady: status?.conditions?.find(({ type }) => type === "Ready")?.status === "True",
    isCordoned: spec?.unschedulable === true,
    isOurs: metadata?.annotations?.[MARK] !== undefined,
    architecture: status?.nodeInfo?.architecture ?? "",
  };
}

/** Whether an upgrade has nothing left to do here. */
export function isDone({ release, isOurs }: NodeState, wanted: string): boolean {
  return release === wanted && !isOurs;
}

/** Keeps new pods away. A node that was already cordoned stays cordoned, also afterwards. */
export async function cordon(api: Api, { name, isCordoned }: NodeState, wanted: string): Promise<void> {
  if (isCordoned) return;
  await patch(api, name, { metadata: { annotations: { [MARK]: wanted } }, spec: { unschedulable: true } });
}

/** Reverts `cordon`, if it changed the node. */
export async function uncordon(api: Api, { name, isOurs }: NodeState): Promise<void> {
  if (!isOurs) return;
  await patch(api, name, { metadata: { annotations: { [MARK]: null } }, spec: { unschedulable: null } });
}

async function patch(api: Api, name: string, body: object): Promise<void> {
  await patchObject(api, `/api/v1/nodes/${name}`, body);
}
