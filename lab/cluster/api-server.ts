import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { KubernetesError } from "../../kubernetes/errors.ts";
import { getText } from "../../kubernetes/get.ts";
import { until } from "../../kubernetes/patience.ts";
import { ApiServer } from "../../kubernetes/transport.ts";
import { LabFailure } from "../failure.ts";
import { machineDisk } from "../names.ts";

/** How this process reaches an API server: the forwarder's port, and the control plane's disk with the CA. */
export interface ApiServerPath {
  lab: string;
  controlPlane: string;
  port: number;
  /** Where the forwarder listens. Left out: 127.0.0.1. */
  host?: string;
}

export const certificateAuthority = (lab: string, controlPlane: string): string =>
  join(machineDisk(lab, controlPlane), "etc/kubernetes/pki/ca.crt");

/** Milliseconds: timeout of one request, and the interval between two. */
const [ANSWER_MS, EVERY_MS] = [2000, 150];

/** Sends requests as an anonymous user. @returns a function that requests a path; it returns undefined unless the request succeeds */
function asker({
  lab,
  controlPlane,
  port,
  host = "127.0.0.1",
}: ApiServerPath): (path: string) => Promise<string | undefined> {
  const ca = certificateAuthority(lab, controlPlane);
  const options = () => ({ ca: readFileSync(ca) });
  const api = new ApiServer({ server: `https://${host}:${port}`, options }, ANSWER_MS);
  return async (path) => {
    if (!existsSync(ca)) return undefined;
    return getText(api, path).catch((error: unknown) => {
      if (error instanceof KubernetesError) return undefined;
      throw error;
    });
  };
}

export const isReady = async (path: ApiServerPath): Promise<boolean> => (await asker(path)("/readyz")) !== undefined;

/** Waits until the API server is ready to serve. */
export async function waitUntilReady(path: ApiServerPath, seconds: number): Promise<void> {
  const ask = asker(path);
  const look = async () => ((await ask("/readyz")) === undefined ? "it is not ready" : undefined);
  if ((await until(look, seconds, () => {}, { everyMs: EVERY_MS })) === undefined) return;
  const logs = join(machineDisk(path.lab, path.controlPlane), "var/log");
  throw new LabFailure(`the API server on machine ${path.controlPlane} was not ready within ${seconds} s`, {
    next: `read ${logs}/kubelet.log and ${logs}/pods, or start over with 'down ${path.lab}' and 'up'`,
  });
}

/** Seconds that a control plane may take to become joinable. */
const JOINABLE_SECONDS = 600;

/**
 * Waits until a node can join with a token: kubeadm has published the cluster information and the token controller
 * has signed it. `gaveUp` ends the wait early if the control plane failed.
 */
export async function waitUntilJoinable(path: ApiServerPath, token: string, gaveUp: () => boolean): Promise<void> {
  const signature = `jws-kubeconfig-${token.split(".")[0]}`;
  const information = "/api/v1/namespaces/kube-public/configmaps/cluster-info";
  const ask = asker(path);
  const look = async () =>
    gaveUp() || (await ask(information))?.includes(signature) ? undefined : "the token is not signed";
  if ((await until(look, JOINABLE_SECONDS, () => {}, { everyMs: EVERY_MS })) === undefined) return;
  throw new LabFailure(`the control plane was not ready for workers to join within ${JOINABLE_SECONDS} s`);
}
