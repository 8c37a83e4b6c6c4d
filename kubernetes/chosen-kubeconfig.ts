// Which cluster a command line means.
import { existsSync } from "node:fs";
import { KubernetesError, UnusableKubeconfig } from "./errors.ts";
import {
  homeKubeconfig,
  type Kubeconfig,
  kubeconfigFile,
  kubeconfigFiles,
  kubeconfigOf,
  pathsOf,
} from "./kubeconfig.ts";

/** Where the cluster's address and credentials come from, in this order. */
export interface KubeconfigSources {
  /** A path given on the command line. */
  path?: string | undefined;
  /** The content itself, as a deployment passes it (a secret: never in arguments). */
  content?: string | undefined;
  /** The variable that kubectl reads: one or more paths. */
  environment?: string | undefined;
  /** Of a local cluster. */
  local?: string | undefined;
  /** Why it is not known whether a local cluster has one. */
  hidden?: string | undefined;
  /** The file that kubectl reads otherwise, if it exists. */
  home?: boolean;
  /** Instead of the kubeconfig's current context. */
  context?: string | undefined;
}

/** @throws UnusableKubeconfig that names the file */
export function chosenKubeconfig(sources: KubeconfigSources): Kubeconfig {
  const { path, content, environment, local, home, context } = sources;
  const kubectls = home && existsSync(homeKubeconfig()) ? homeKubeconfig() : undefined;
  const file = path ?? (content ? undefined : environment || local || kubectls);
  try {
    if (content && !path) return kubeconfigOf(content, undefined, context);
    const several = path ? [] : pathsOf(environment);
    if (several.length > 1) return kubeconfigFiles(several, context);
    if (file) return kubeconfigFile(file, context);
  } catch (error) {
    const { message, next } = error as KubernetesError;
    if (!(error instanceof KubernetesError)) throw error;
    throw new UnusableKubeconfig(`kubeconfig${file ? ` ${file}` : ""}: ${message}`, { ...(next && { next }) });
  }
  const { hidden } = sources;
  throw new UnusableKubeconfig(`kubeconfig: there is none${hidden ? ` that this user can read: ${hidden}` : ""}`, {
    next: hidden
      ? "run it as root for the local cluster, or give --kubeconfig FILE or KUBECONFIG for another one"
      : "give --kubeconfig FILE, or set KUBECONFIG; the local cluster of `make up` has its own",
  });
}
