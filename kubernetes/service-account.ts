import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Access } from "./access.ts";
import { UnusableKubeconfig } from "./errors.ts";

const FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Whether this process is in a pod that has a service account. */
export function inPod(folder = FOLDER): boolean {
  return existsSync(join(folder, "token"));
}

/**
 * Authenticates with the pod's service account, at KUBERNETES_SERVICE_HOST and _PORT. Token and CA are read for each request: both are
 * rotated while the pod runs. @throws UnusableKubeconfig outside of a pod
 */
export function serviceAccount(environment: NodeJS.ProcessEnv = process.env, folder = FOLDER): Access {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment;
  if (!host || !port) {
    throw new UnusableKubeconfig(
      "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT do not say where the API server is",
      {
        next: "run it in a pod, or provide a kubeconfig",
      },
    );
  }
  const read = (name: string): string => {
    try {
      return readFileSync(join(folder, name), "utf8");
    } catch (error) {
      throw new UnusableKubeconfig(`the pod's service account cannot be used: ${(error as Error).message}`, {
        next: "check that automountServiceAccountToken is not false for the pod",
      });
    }
  };
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    options: () => ({ ca: read("ca.crt"), headers: { Authorization: `Bearer ${read("token").trim()}` } }),
  };
}
