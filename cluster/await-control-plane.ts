import type { ControlPlane } from "../components/documents/await.ts";
import { anonymous } from "../kubernetes/access.ts";
import { ApiRefusal, KubernetesError } from "../kubernetes/errors.ts";
import { getText } from "../kubernetes/get.ts";
import { type Clock, realClock, until } from "../kubernetes/patience.ts";
import { type Api, ApiServer } from "../kubernetes/transport.ts";
import { ClusterFailure } from "./failure.ts";

/** What components/bootstrap/node.sh writes when everything else is written. */
const PUBLISHED = "ebpf-dataplane.io/published";

/**
 * Waits for the control plane's word. Nothing is believed from this connection but that word: the authority that would prove who
 * answers is part of what is being waited for, and comes by another way.
 */
export async function awaitControlPlane(
  place: ControlPlane,
  say: (line: string) => void,
  clock: Clock = realClock,
): Promise<void> {
  const { host, port } = place;
  const api = new ApiServer(anonymous(`https://${host}:${port}`, { rejectUnauthorized: false }), ANSWER_MS);
  const missing = await until(() => missingFrom(place, api), place.seconds, say, { clock });
  if (missing === undefined) return;
  throw new ClusterFailure(
    `the control plane at ${host}:${port} did not come up within ${Math.round(place.seconds / 60)} min: ${missing}`,
    missing.includes("no answer")
      ? `is this computer's public address in adminCidrs (${place.adminCidrs.join(", ")})? Else read the instance's log: aws ec2 get-console-output`
      : "read the instance's log (aws ec2 get-console-output, or /var/log/cloud-init-output.log and journalctl -u kubernetes-bootstrap there), then run the same command again",
  );
}

/** Milliseconds that one answer may take. */
const ANSWER_MS = 5000;

async function missingFrom(place: ControlPlane, api: Api): Promise<string | undefined> {
  const { host, port } = place;
  try {
    const body = await getText(api, "/api/v1/namespaces/kube-public/configmaps/cluster-info");
    if (body.includes(PUBLISHED)) return undefined;
  } catch (error) {
    if (!(error instanceof KubernetesError)) throw error;
    if (!(error instanceof ApiRefusal)) {
      const { code = "", message } = (error.cause ?? error) as NodeJS.ErrnoException;
      if (NO_TLS.test(code)) await requireNoReason(place);
      return `${message || code} (${host}:${port})`;
    }
  }
  return "the API server answers, kubeadm is at work";
}

/** Something answers, but not as an API server does. */
const NO_TLS = /^(EPROTO|ERR_SSL_)/;

/** A bootstrap that gave up tells why in the API server's place. Anybody on the way could, too: it is repeated, not believed. */
async function requireNoReason({ host, port }: ControlPlane): Promise<void> {
  const api = new ApiServer(anonymous(`http://${host}:${port}`), ANSWER_MS);
  const body = await getText(api, "/").catch((error: unknown) => (error instanceof ApiRefusal ? error.words : ""));
  if (!body) return;
  const reason = body.slice(0, 400).replace(/[^\x20-\x7e]+/g, " ");
  throw new ClusterFailure(
    `the control plane at ${host}:${port} says that it cannot be made: ${reason}`,
    "set that right; an instance keeps what it was made with, so have it made anew: pulumi up --replace with its URN (pulumi state unprotect comes first)",
  );
}
