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

async function missingFrom({ host, port }: ControlPlane): Promise<string | undefined> {
  const path = "/api/v1/namespaces/kube-public/configmaps/cluster-info";
  return new Promise((resolve) => {
    const request = get({ host, port, path, rejectUnauthorized: false, timeout: 5000, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () =>
        resolve(body.includes(PUBLISHED) ? undefined : "the API server answers, kubeadm is at work"),
      );
      response.on("error", () => resolve("the API server breaks off"));
    });
    request.on("timeout", () => request.destroy(new Error("no answer")));
    request.on("error", ({ message }) => resolve(`${message || "no connection"} (${host}:${port})`));
  });
}
