import type { ControlPlane } from "../components/documents/await.ts";
import { anonymous } from "../kubernetes/access.ts";
import { ApiRefusal, KubernetesError } from "../kubernetes/errors.ts";
import { getText } from "../kubernetes/get.ts";
import { type Clock, realClock, until } from "../kubernetes/patience.ts";
import { type Api, ApiServer } from "../kubernetes/transport.ts";
import { ClusterFailure } from "./failure.ts";

/** The mark that components/bootstrap/node.sh writes last. */
const PUBLISHED = "ebpf-dataplane.io/published";

/**
 * Waits for the control plane's mark. Nothing else on this connection is trusted: the certificate authority that would
 * authenticate the server is still being created, and is transferred separately.
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
      ? `is this computer's public address in adminCidrs (${place.adminCidrs.join(", ")})? If so, read the instance's log: aws ec2 get-console-output`
      : "read the instance's log (aws ec2 get-console-output, or /var/log/cloud-init-output.log and journalctl -u kubernetes-bootstrap there), then run the same command again",
  );
}

/** Timeout of one request, milliseconds. */
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
  return "the API server answers, kubeadm is still running";
}

/** A server answers, but it is not an API server. */
const NO_TLS = /^(EPROTO|ERR_SSL_)/;

/** A failed bootstrap reports its reason on the API server's port. So could anyone on the path: the text is shown, not trusted. */
async function requireNoReason({ host, port }: ControlPlane): Promise<void> {
  const api = new ApiServer(anonymous(`http://${host}:${port}`), ANSWER_MS);
  const body = await getText(api, "/").catch((error: unknown) => (error instanceof ApiRefusal ? error.words : ""));
  if (!body) return;
  const reason = body.slice(0, 400).replace(/[^\x20-\x7e]+/g, " ");
  throw new ClusterFailure(
    `the control plane at ${host}:${port} reports that it cannot be created: ${reason}`,
    "fix that; an instance keeps its first user data, so replace it: pulumi state unprotect, then pulumi up --replace, with its URN",
  );
}
