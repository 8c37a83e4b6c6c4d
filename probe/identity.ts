import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/** Where the identity is read from; tests give their own. */
export interface IdentitySources {
  env: Record<string, string | undefined>;
  /** A file's text, or undefined when it cannot be read. */
  read: (path: string) => string | undefined;
  hostname: string;
}

const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * `<namespace>/<pod>` of the pod this process runs in.
 *
 * The bound service account token names both (KEP-1205) and is right for host-network pods too, whose host name is the
 * node's. Without a mounted token: the host name is the pod's, and the first search domain of a cluster-DNS pod is
 * `<namespace>.svc.<cluster domain>`. Unknown parts are printed as `unknown`, never guessed.
 */
export function podIdentity(sources: IdentitySources = processSources()): string {
  const claims = tokenClaims(sources.read(`${serviceAccount}/token`));
  const namespace =
    sources.env.POD_NAMESPACE ??
    claims?.namespace ??
    sources.read(`${serviceAccount}/namespace`)?.trim() ??
    searchNamespace(sources.read("/etc/resolv.conf")) ??
    "unknown";
  const pod = sources.env.POD_NAME ?? claims?.pod ?? sources.hostname;
  return `${namespace}/${pod}`;
}

function tokenClaims(token: string | undefined): { namespace?: string; pod?: string } | undefined {
  const payload = token?.split(".")[1];
  if (!payload) return undefined;
  try {
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as {
      "kubernetes.io"?: { namespace?: string; pod?: { name?: string } };
    };
    const bound = claims["kubernetes.io"];
    return { namespace: bound?.namespace, pod: bound?.pod?.name };
  } catch {
    return undefined;
  }
}

function searchNamespace(resolvConf: string | undefined): string | undefined {
  return resolvConf?.match(/^search\s+(\S+?)\.svc\./m)?.[1];
}

function processSources(): IdentitySources {
  return { env: process.env, read: readIfThere, hostname: hostname() };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
