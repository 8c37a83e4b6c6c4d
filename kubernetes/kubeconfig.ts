// Kubeconfigs, as kubectl reads them. Authentication and proxies are left to @kubernetes/client-node (only exec.ts imports it too), except
// for what it does not support well: `tokenFile`, and credential plugins.
import { existsSync, readFileSync } from "node:fs";
import type { RequestOptions } from "node:https";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { type Cluster, KubeConfig, type User } from "@kubernetes/client-node";
import { parse } from "yaml";
import type { Access } from "./access.ts";
import { CredentialPlugin, type ExecConfig } from "./credential-plugin.ts";
import { KubernetesError, UnusableKubeconfig } from "./errors.ts";
import { requireServerUrl } from "./server-url.ts";
import { inPod, serviceAccount } from "./service-account.ts";
import { ApiServer } from "./transport.ts";
import { yamlFault } from "./yaml-fault.ts";

/** Auth provider names for users whose credentials this file provides. */
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
    if (cluster) return requireServerUrl(cluster.server);
    throw new UnusableKubeconfig("the kubeconfig has no current cluster", {
      next: "set current-context to one of its contexts (kubectl config use-context)",
    });
  }

  /** For exec.ts. Do not keep it: it is replaced when its credentials are refused. */
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
    // The transport has its own connections, except through a proxy.
    if (!this.#library.getCurrentCluster()?.proxyUrl) delete options.agent;
    this.#given.set(options, this.#generation);
    return options;
  }

  /** Same cluster and user, without cached credentials: the library caches a credential without an expiry time for ever. */
  renew(refused: RequestOptions): void {
    // Already renewed, by another request.
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
      return new UnusableKubeconfig(`the kubeconfig's server ${server} would receive credentials without encryption`, {
        next: "use an https address; for a test server, set insecure-skip-tls-verify: true for its cluster",
      });
    }
    const user = this.#library.getCurrentUser()?.name ?? "";
    return new UnusableKubeconfig(
      `the credentials of user ${user} in the kubeconfig for ${server} cannot be used: ${message}`,
      {
        next: "check this user in the kubeconfig: the files that it names, and its auth provider",
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
  const named = pathsOf(process.env.KUBECONFIG);
  const wanted = named.length > 0 ? named : [homeKubeconfig()];
  if (named.length === 0 && !wanted.some(existsSync) && inPod()) return serviceAccount();
  return kubeconfigFiles(wanted, context);
}

/** The paths in a variable like KUBECONFIG. */
export const pathsOf = (variable = ""): string[] => variable.split(delimiter).filter(Boolean);

/** Where kubectl keeps it. */
export const homeKubeconfig = (): string => join(homedir(), ".kube", "config");

/** Those of the files that exist, as one kubeconfig: the first that names something counts. @throws UnusableKubeconfig */
export function kubeconfigFiles(wanted: readonly string[], context?: string): Kubeconfig {
  const [first, ...others] = wanted
    .filter((path) => existsSync(path))
    .map((path) => [path, dirname(resolve(path))] as const);
  if (!first) {
    throw new UnusableKubeconfig(`there is no kubeconfig: ${wanted.join(", ")} does not exist`, {
      next: "set KUBECONFIG to the path of a kubeconfig",
    });
  }
  const [path, folder] = first;
  const merged = read(readFile(path), folder);
  for (const [more, itsFolder] of others) addMissing(merged, read(readFile(more), itsFolder));
  return new Kubeconfig(inContext(merged, context), folder);
}

function read(text: string, folder: string): KubeConfig {
  const library = new KubeConfig();
  const { users } = parsed(text);
  try {
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
    const { name, message } = error as Error;
    throw unreadable(name === "YAMLException" ? "it is no YAML" : message); // the library's parser quotes the text
  }
  return library;
}

function parsed(text: string): { users?: { name: string; user?: { tokenFile?: string } }[] } {
  try {
    return parse(text, { logLevel: "error" }) ?? {}; // warnings quote the text
  } catch (error) {
    throw unreadable(`it is no YAML (${yamlFault(error)})`);
  }
}

function unreadable(why: string): UnusableKubeconfig {
  return new UnusableKubeconfig(`the kubeconfig cannot be read: ${why}`, {
    next: "provide the output of kubectl config view --raw --minify",
  });
}

function readFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UnusableKubeconfig(`the kubeconfig cannot be read: ${(error as Error).message}`, {
      next: "provide the path of a kubeconfig that this user can read",
    });
  }
}

function inContext(library: KubeConfig, context: string | undefined): KubeConfig {
  if (context === undefined) return library;
  const names = library.getContexts().map(({ name }) => name);
  if (!names.includes(context)) {
    throw new UnusableKubeconfig(`the kubeconfig has no context ${context}`, {
      next: `use one of its contexts: ${names.join(", ") || "it has none"}`,
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
