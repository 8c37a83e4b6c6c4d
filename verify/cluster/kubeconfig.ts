import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { KubeConfig, type User } from "@kubernetes/client-node";
import { parse } from "yaml";

/** Marks a user whose token is in a file, the way the library marks users of a plugin. */
const TOKEN_FILE = "kubeconfig-token-file";

type Authenticator = Parameters<KubeConfig["addAuthenticator"]>[0];

/** `tokenFile` of a kubeconfig's user (client-go's AuthInfo), which the library does not know. Read at every request: tokens in files are replaced. */
const tokenFile: Authenticator = {
  isAuthProvider: ({ authProvider }: User) => authProvider?.name === TOKEN_FILE,
  applyAuthentication: async ({ authProvider }: User, options) => {
    const token = readFileSync(authProvider.config.path, "utf8").trim();
    options.headers = { ...options.headers, Authorization: `Bearer ${token}` };
  },
};

/**
 * Reads a kubeconfig.
 * @param folder that relative paths in it are seen from
 * @throws in the words of the parser
 */
export function kubeconfigOf(text: string, folder = process.cwd()): KubeConfig {
  const config = new KubeConfig();
  config.loadFromString(text);
  config.makePathsAbsolute(folder);
  const { users = [] } = parse(text) as { users?: { name: string; user?: { tokenFile?: string } }[] };
  for (const { name, user } of users) {
    const known = config.getUser(name);
    if (!known || !user?.tokenFile) continue;
    // A token in a file wins over one in the kubeconfig.
    const authProvider = { name: TOKEN_FILE, config: { path: resolve(folder, user.tokenFile) } };
    Object.assign(known, { token: undefined, authProvider });
  }
  config.addAuthenticator(tokenFile);
  return config;
}

/** Reads a kubeconfig's file. @throws in the words of the parser or of the system */
export function kubeconfigFile(path: string): KubeConfig {
  return kubeconfigOf(readFileSync(path, "utf8"), dirname(resolve(path)));
}

/** The same cluster and user, with no credential remembered: the library keeps what a plugin gave without a time for ever. */
export function withoutCredentials({ clusters, contexts, users, currentContext }: KubeConfig): KubeConfig {
  const config = new KubeConfig();
  config.loadFromOptions({ clusters, contexts, users, currentContext });
  config.addAuthenticator(tokenFile);
  return config;
}
