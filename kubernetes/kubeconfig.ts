// Kubeconfigs, as kubectl reads them. Credentials of all kinds and proxies are the library's business (@kubernetes/client-node, which
// nobody else imports but exec.ts), except what it does not know or does not do well: `tokenFile`, and plugins.
import { existsSync, readFileSync } from "node:fs";
import type { RequestOptions } from "node:https";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { type Cluster, KubeConfig, type User } from "@kubernetes/client-node";
import { parse } from "yaml";
import type { Access } from "./access.ts";
import { CredentialPlugin, type ExecConfig } from "./credential-plugin.ts";
import { KubernetesError, UnusableKubeconfig } from "./errors.ts";
import { inPod, serviceAccount } from "./service-account.ts";
import { ApiServer } from "./transport.ts";

/** Marks of users whose credentials are ours to get, the way the library marks those of a provider. */
const [TOKEN_FILE, PLUGIN] = ["kubeconfig-token-file", "kubeconfig-credential-plugin"];

/** One cluster, and one user of it. */
export class Kubeconfig implements Access {
  #library: KubeConfig;
  readonly #plugins = new Map<string, CredentialPlugin>();
  #generation = 0;
  readonly #given = new WeakMap<RequestOptions, number>();

  /** @param library what was read. @param folder that plugins are seen from */
  constructor(library: KubeConfig, folder: string) {
    for (const { name, exec } of library.getUsers() as (User & { exec?: ExecConfig })[]) {
      if (!exec) continue;
      this.#plugins.set(name, new CredentialPlugin(exec, folder, () => clusterInfo(library.getCurrentCluster())));
      Object.assign(library.getUser(name) as User, { exec: undefined, authProvider: { name: PLUGIN, config: {} } });
    }
    this.#library = library;
    this.#addAuthenticators();
  }

  /** @throws UnusableKubeconfig where no cluster is chosen */
  get server(): string {
    const cluster = this.#library.getCurrentCluster();
    if (cluster) return cluster.server;
    throw new UnusableKubeconfig("the kubeconfig has no current cluster", {
      next: "set current-context in it, to one of its contexts (kubectl config use-context)",
    });
  }

  /** For exec.ts. Not to be kept: its credentials are replaced when they are refused. */
  get library(): KubeConfig {
    return this.#library;
  }

  async options(): Promise<RequestOptions> {
    const { server } = this;
    const options: RequestOptions = {};
    try {
      await this.#library.applyToHTTPSOptions(options);
    } catch (error) {
      if (error instanceof KubernetesError) throw error;
      throw this.#unusable(server, error as Error);
    }
    // Connections are the transport's, unless they lead through a proxy.
    if (!this.#library.getCurrentCluster()?.proxyUrl) delete options.agent;
    this.#given.set(options, this.#generation);
    return options;
  }

  /** The same cluster and user, with no credential remembered: the library keeps what a provider gave without a time for ever. */
  renew(refused: RequestOptions): void {
    // Another request has had them renewed since.
    if (this.#given.get(refused) !== this.#generation) return;
    this.#generation++;
    for (const plugin of this.#plugins.values()) plugin.forget();
    const { clusters, contexts, users, currentContext } = this.#library;
    this.#library = new KubeConfig();
    this.#library.loadFromOptions({ clusters, contexts, users, currentContext });
    this.#addAuthenticators();
  }

  #addAuthenticators(): void {
    this.#library.addAuthenticator({
      // Read for each request: tokens in files are replaced.
      isAuthProvider: ({ authProvider }) => authProvider?.name === TOKEN_FILE,
      applyAuthentication: async ({ authProvider }, options) => {
        setToken(options, readFileSync(authProvider.config.path, "utf8").trim());
      },
    });
    this.#library.addAuthenticator({
      isAuthProvider: ({ authProvider }) => authProvider?.name === PLUGIN,
      applyAuthentication: async ({ name }, options) => {
        const { token, clientCertificateData, clientKeyData } = (await this.#plugins.get(name)?.credential()) ?? {};
        if (token) setToken(options, token);
        if (clientCertificateData) Object.assign(options, { cert: clientCertificateData, key: clientKeyData });
      },
    });
  }

  #unusable(server: string, { message }: Error): UnusableKubeconfig {
    if (message.startsWith("HTTP protocol is not allowed")) {
      return new UnusableKubeconfig(`the kubeconfig's server ${server} would be sent credentials without encryption`, {
        next: "give an https address; for a test server say insecure-skip-tls-verify: true beside it",
      });
    }
    const user = this.#library.getCurrentUser()?.name ?? "";
    return new UnusableKubeconfig(
      `the credentials of user ${user} in the kubeconfig for ${server} cannot be used: ${message}`,
      {
        next: "look at this user in the kubeconfig: the files that it names, and its provider",
      },
    );
  }
}

/** Asks the API server of a kubeconfig. */
export function apiServerOf(kubeconfig: Kubeconfig): ApiServer<Kubeconfig> {
  return new ApiServer(kubeconfig);
}

/**
 * Reads a kubeconfig.
 * @param folder that relative paths in it are seen from
 * @param context instead of its current one
 * @throws UnusableKubeconfig
 */
export function kubeconfigOf(text: string, folder = process.cwd(), context?: string): Kubeconfig {
  return new Kubeconfig(inContext(read(text, folder), context), folder);
}

/** Reads a kubeconfig's file. @throws UnusableKubeconfig */
export function kubeconfigFile(path: string, context?: string): Kubeconfig {
  return kubeconfigOf(readFile(path), dirname(resolve(path)), context);
}

/**
 * What kubectl would use: the files of KUBECONFIG, of which the first that names something counts, or ~/.kube/config, or the service
 * account of the pod that this runs in.
 * @throws UnusableKubeconfig
 */
export function defaultAccess(context?: string): Access {
  const named = (process.env.KUBECONFIG ?? "").split(delimiter).filter(Boolean);
  const wanted = named.length > 0 ? named : [join(homedir(), ".kube", "config")];
  const [first, ...others] = wanted
    .filter((path) => existsSync(path))
    .map((path) => [path, dirname(resolve(path))] as const);
  if (!first && named.length === 0 && inPod()) return serviceAccount();
  if (!first) {
    throw new UnusableKubeconfig(`there is no kubeconfig: ${wanted.join(", ")} does not exist`, {
      next: "set KUBECONFIG to the path of one",
    });
  }
  const [path, folder] = first;
  const merged = read(readFile(path), folder);
  for (const [more, itsFolder] of others) addMissing(merged, read(readFile(more), itsFolder));
  return new Kubeconfig(inContext(merged, context), folder);
}

function read(text: string, folder: string): KubeConfig {
  const library = new KubeConfig();
  try {
    const { users } = (parse(text) ?? {}) as { users?: { name: string; user?: { tokenFile?: string } }[] };
    library.loadFromString(text);
    library.makePathsAbsolute(folder);
    for (const { name, user } of users ?? []) {
      const known = library.getUser(name);
      if (!known || !user?.tokenFile) continue;
      // A token in a file wins over one in the kubeconfig.
      const authProvider = { name: TOKEN_FILE, config: { path: resolve(folder, user.tokenFile) } };
      Object.assign(known, { token: undefined, authProvider });
    }
  } catch (error) {
    // The first line only: the others show the text, in which secrets stand.
    const [why] = (error as Error).message.split("\n");
    throw new UnusableKubeconfig(`the kubeconfig cannot be read: ${why}`, {
      next: "give what kubectl config view --raw --minify prints",
    });
  }
  return library;
}

function readFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UnusableKubeconfig(`the kubeconfig cannot be read: ${(error as Error).message}`, {
      next: "give the path of one that this user may read",
    });
  }
}

function inContext(library: KubeConfig, context: string | undefined): KubeConfig {
  if (context === undefined) return library;
  const names = library.getContexts().map(({ name }) => name);
  if (!names.includes(context)) {
    throw new UnusableKubeconfig(`the kubeconfig has no context ${context}`, {
      next: `it has: ${names.join(", ") || "none"}`,
    });
  }
  library.setCurrentContext(context);
  return library;
}

function addMissing(merged: KubeConfig, more: KubeConfig): void {
  const add = <T extends { name: string }>(all: T[], others: T[]) =>
    all.push(...others.filter(({ name }) => !all.some((known) => known.name === name)));
  add(merged.clusters, more.clusters);
  add(merged.users, more.users);
  add(merged.contexts, more.contexts);
  merged.currentContext ||= more.currentContext;
}

/** `spec.cluster` of an ExecCredential. */
function clusterInfo(cluster: Cluster | null): object | undefined {
  if (!cluster) return undefined;
  const { server, caData, caFile, skipTLSVerify, tlsServerName, proxyUrl } = cluster;
  const authority = caData ?? (caFile && readFileSync(caFile).toString("base64"));
  return {
    server,
    "insecure-skip-tls-verify": skipTLSVerify || undefined,
    "tls-server-name": tlsServerName,
    "certificate-authority-data": authority,
    "proxy-url": proxyUrl,
  };
}

function setToken(options: { headers?: unknown }, token: string): void {
  options.headers = { ...(options.headers as object), Authorization: `Bearer ${token}` };
}
