import type { V1Node } from "@kubernetes/client-node";
import { plainRelease } from "../../components/release/kubernetes-release.ts";
import { listObjects } from "../../kubernetes/get.ts";
import { patchObject } from "../../kubernetes/patch.ts";
import type { Api } from "../../kubernetes/transport.ts";

/** A node, as far as an upgrade looks at it. */
export interface NodeState {
  name: string;
  /** Of its kubelet, such as "v1.35.0". */
  release: string;
  isControlPlane: boolean;
  isReady: boolean;
  isCordoned: boolean;
  /** Cordoned by an upgrade, which takes that back. */
  isOurs: boolean;
  /** Go's word, such as "amd64". */
  architecture: string;
}

/** On nodes that an upgrade has cordoned, so that one that was cut short knows them again. */
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

/** Whether an upgrade has nothing to do here any more. */
export function isDone({ release, isOurs }: NodeState, wanted: string): boolean {
  return release === wanted && !isOurs;
}

/** Keeps new pods away. A node that somebody else has cordoned stays as it is, then and afterwards. */
export async function cordon(api: Api, { name, isCordoned }: NodeState, wanted: string): Promise<void> {
  if (isCordoned) return;
  await patch(api, name, { metadata: { annotations: { [MARK]: wanted } }, spec: { unschedulable: true } });
}

/** Takes back what `cordon` did, if it did something. */
export async function uncordon(api: Api, { name, isOurs }: NodeState): Promise<void> {
  if (!isOurs) return;
  await patch(api, name, { metadata: { annotations: { [MARK]: null } }, spec: { unschedulable: null } });
}

async function patch(api: Api, name: string, body: object): Promise<void> {
  await patchObject(api, `/api/v1/nodes/${name}`, body);
}
