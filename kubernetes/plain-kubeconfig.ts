// The agent's kubeconfig: one cluster, one user, credentials in the kubeconfig or in files. Plugins, OpenID Connect and proxies need a large
// library (kubeconfig.ts), which does not belong in a privileged process on every node.
import { readFileSync } from "node:fs";
import type { RequestOptions } from "node:https";
import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import type { Access } from "./access.ts";
import { UnusableKubeconfig } from "./errors.ts";
import { yamlFault } from "./yaml-fault.ts";

const text = z.string().nullish();

const cluster = z.strictObject({
  server: z.url({ protocol: /^https?$/ }),
  "certificate-authority": text,
  "certificate-authority-data": text,
  "insecure-skip-tls-verify": z.boolean().nullish(),
  "tls-server-name": text,
  "disable-compression": z.boolean().nullish(),
  extensions: z.unknown().optional(),
});
const user = z.strictObject({
  token: text,
  tokenFile: text,
  "client-certificate": text,
  "client-certificate-data": text,
  "client-key": text,
  "client-key-data": text,
});
const named = { name: z.string() };
/** Only the cluster and the user of the current context are validated. */
const kubeconfig = z.object({
  clusters: z.array(z.object({ ...named, cluster: z.unknown().optional() })),
  users: z.array(z.object({ ...named, user: z.unknown().optional() })).default([]),
  contexts: z.array(z.object({ ...named, context: z.object({ cluster: z.string(), user: z.string().default("") }) })),
  "current-context": z.string(),
});

/** Reads a kubeconfig. The files that it names are read for each request, because tokens and certificates are rotated. @throws UnusableKubeconfig */
export function plainKubeconfig(path: string): Access {
  const chosen = choose(path);
  const { server, "insecure-skip-tls-verify": insecure, "tls-server-name": servername, ...authority } = chosen.cluster;
  const content = (data: string | null | undefined, file: string | null | undefined): Buffer | undefined => {
    if (data) return Buffer.from(data, "base64");
    return file ? readNamed(path, file) : undefined;
  };
  return {
    server,
    options: () => {
      const { token, tokenFile } = chosen.user;
      const bearer = tokenFile ? readNamed(path, tokenFile).toString().trim() : token;
      return withoutUndefined({
        ca: content(authority["certificate-authority-data"], authority["certificate-authority"]),
        cert: content(chosen.user["client-certificate-data"], chosen.user["client-certificate"]),
        key: content(chosen.user["client-key-data"], chosen.user["client-key"]),
        rejectUnauthorized: insecure ? false : undefined,
        servername: servername ?? undefined,
        headers: bearer ? { Authorization: `Bearer ${bearer}` } : undefined,
      });
    },
  };
}

function choose(path: string): { cluster: z.output<typeof cluster>; user: z.output<typeof user> } {
  const config = understand(path, kubeconfig, read(path));
  const current = config["current-context"];
  const context = config.contexts.find(({ name }) => name === current)?.context;
  if (!context) throw unusable(path, `it has no context ${current}`);
  const ofContext = config.clusters.find(({ name }) => name === context.cluster)?.cluster;
  if (!ofContext) throw unusable(path, `it has no cluster ${context.cluster}`);
  const at = understand(path, cluster, ofContext);
  if (at.server.startsWith("http:") && !at["insecure-skip-tls-verify"]) {
    throw unusable(path, `its server ${at.server} would receive credentials without encryption`);
  }
  const as = config.users.find(({ name }) => name === context.user)?.user;
  return { cluster: at, user: understand(path, user, as ?? {}) };
}

function read(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw unusable(path, (error as Error).message);
  }
  try {
    return parse(text, { logLevel: "error" }); // warnings quote it
  } catch (error) {
    throw unusable(path, `it is no YAML (${yamlFault(error)})`);
  }
}

function understand<T>(path: string, schema: z.ZodType<T>, value: unknown): T {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  throw unusable(path, z.prettifyError(error));
}

function readNamed(kubeconfigPath: string, file: string): Buffer {
  try {
    return readFileSync(resolve(dirname(kubeconfigPath), file));
  } catch (error) {
    throw unusable(kubeconfigPath, (error as Error).message);
  }
}

function unusable(path: string, why: string): UnusableKubeconfig {
  return new UnusableKubeconfig(`the kubeconfig ${path} cannot be used: ${why}`, {
    next: "use a kubeconfig with a token or a client certificate, inline or in files; the agent does not support plugins and proxies",
  });
}

function withoutUndefined(options: Record<string, unknown>): RequestOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
