import { type ClientRequest, get as getPlain } from "node:http";
import { get } from "node:https";
import { z } from "zod";
import { ClusterFailure } from "./failure.ts";
import { type Clock, realClock, until } from "./patience.ts";

export const controlPlaneSchema = z.strictObject({
  /** Address of the API server, as this computer reaches it. */
  host: z.string(),
  port: z.number(),
  /** Networks that the API server is open to, for the message of a failure. */
  adminCidrs: z.array(z.string()).default([]),
  seconds: z.number().default(25 * 60),
});
export type ControlPlane = z.output<typeof controlPlaneSchema>;

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
  const missing = await until(() => missingFrom(place), place.seconds, say, clock);
  if (missing === undefined) return;
  throw new ClusterFailure(
    `the control plane at ${place.host}:${place.port} did not come up within ${Math.round(place.seconds / 60)} min: ${missing}`,
    missing.includes("no answer")
      ? `is this computer's public address in adminCidrs (${place.adminCidrs.join(", ")})? Else read the instance's log: aws ec2 get-console-output`
      : "read the instance's log (aws ec2 get-console-output, or /var/log/cloud-init-output.log and journalctl -u kubernetes-bootstrap there), then run the same command again",
  );
}

async function missingFrom(place: ControlPlane): Promise<string | undefined> {
  const { host, port } = place;
  const path = "/api/v1/namespaces/kube-public/configmaps/cluster-info";
  const { body, error } = await answerOf(
    get({ host, port, path, rejectUnauthorized: false, timeout: 5000, agent: false }),
  );
  if (body?.includes(PUBLISHED)) return undefined;
  if (body !== undefined) return "the API server answers, kubeadm is at work";
  if (NO_TLS.test(error.code ?? "")) await requireNoReason(place);
  return `${error.message || "no connection"} (${host}:${port})`;
}

/** Something answers, but not as an API server does. */
const NO_TLS = /^(EPROTO|ERR_SSL_)/;

/** A bootstrap that gave up tells why in the API server's place. Anybody on the way could, too: it is repeated, not believed. */
async function requireNoReason({ host, port }: ControlPlane): Promise<void> {
  const { body } = await answerOf(getPlain({ host, port, timeout: 5000, agent: false }));
  if (!body) return;
  const reason = body.slice(0, 400).replace(/[^\x20-\x7e]+/g, " ");
  throw new ClusterFailure(
    `the control plane at ${host}:${port} says that it cannot be made: ${reason}`,
    "set that right; an instance keeps what it was made with, so have it made anew: pulumi up --replace with its URN (pulumi state unprotect comes first)",
  );
}

type Answer = { body: string; error?: undefined } | { body?: undefined; error: NodeJS.ErrnoException };

function answerOf(request: ClientRequest): Promise<Answer> {
  return new Promise((resolve) => {
    request.on("response", (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () => resolve({ body }));
      response.on("error", () => resolve({ error: new Error("the API server breaks off") }));
    });
    request.on("timeout", () => request.destroy(new Error("no answer")));
    request.on("error", (error) => resolve({ error }));
  });
}
