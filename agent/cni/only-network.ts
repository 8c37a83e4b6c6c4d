import { ipJsonIn } from "../network/ip-command.ts";
import type { Endpoint } from "./endpoint-store.ts";
import { type Attachment, CniCode, CniError } from "./request.ts";

/** The interface of a pod's own network, as kubelet's runtimes name it. */
const FIRST = "eth0";

/** Refuses a second interface: its default route and its addresses would replace those of the first one, and policies and Services know
 * one address of a pod for each family. @throws CniError */
export async function expectOnlyNetwork(attachment: Attachment, endpoints: readonly Endpoint[]): Promise<void> {
  const { containerId, ifname, netns, namespace, pod } = attachment;
  const other =
    endpoints.find((one) => one.containerId === containerId && one.ifname !== ifname)?.ifname ??
    (ifname === FIRST ? undefined : await otherNetwork(netns, ifname));
  if (other === undefined) return;
  const message = `The pod ${namespace}/${pod} has a network by ${other}, and ${ifname} was asked for: this plugin makes a pod's only network, not a further one. Next: leave the network ${attachment.network} out of the pod's k8s.v1.cni.cncf.io/networks.`;
  throw new CniError(CniCode.INVALID_CONFIGURATION, message);
}

async function otherNetwork(netns: string, ifname: string): Promise<string | undefined> {
  const routes = await Promise.all(
    ["-4", "-6"].map((family) => ipJsonIn<{ dev?: string }>(netns, family, "route", "show", "default")),
  );
  return routes.flat().find(({ dev }) => dev !== undefined && dev !== ifname)?.dev;
}
