import { existsSync, readFileSync } from "node:fs";
import { get } from "node:https";
import { join } from "node:path";
import { LabFailure } from "../failure.ts";
import { machineDisk } from "../names.ts";

/** How this process reaches an API server: the forwarder's port, and the control plane's disk that holds the CA. */
export interface ApiServerPath {
  lab: string;
  controlPlane: string;
  port: number;
}

export const certificateAuthority = (lab: string, controlPlane: string): string =>
  join(machineDisk(lab, controlPlane), "etc/kubernetes/pki/ca.crt");

/** Asks as an anonymous user. @returns the body of a 200 answer, undefined for anything else. */
function ask({ lab, controlPlane, port }: ApiServerPath, path: string): Promise<string | undefined> {
  const ca = certificateAuthority(lab, controlPlane);
  if (!existsSync(ca)) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const options = { host: "127.0.0.1", port, path, ca: readFileSync(ca), timeout: 2000, agent: false };
    const request = get(options, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () => resolve(response.statusCode === 200 ? body : undefined));
      response.on("error", () => resolve(undefined));
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(undefined));
  });
}

async function until(condition: () => Promise<boolean>, seconds: number, failure: () => LabFailure): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw failure();
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

/** Waits until the API server is ready to serve. */
export async function waitUntilReady(path: ApiServerPath, seconds: number): Promise<void> {
  const ready = async () => (await ask(path, "/readyz")) !== undefined;
  await until(ready, seconds, () => {
    const logs = join(machineDisk(path.lab, path.controlPlane), "var/log");
    return new LabFailure(`the API server on machine ${path.controlPlane} was not ready within ${seconds} s`, {
      next: `read ${logs}/kubelet.log and ${logs}/pods, or start over with 'down ${path.lab}' and 'up'`,
    });
  });
}

/**
 * Waits until a node can join by a token: kubeadm has published the cluster's information and the token's controller has
 * signed it. `gaveUp` ends the wait early, when the control plane has failed.
 */
export async function waitUntilJoinable(path: ApiServerPath, token: string, gaveUp: () => boolean): Promise<void> {
  const signature = `jws-kubeconfig-${token.split(".")[0]}`;
  const signed = async () =>
    gaveUp() ||
    (await ask(path, "/api/v1/namespaces/kube-public/configmaps/cluster-info"))?.includes(signature) === true;
  await until(signed, 600, () => new LabFailure("the control plane did not offer itself to workers within 600 s"));
}
