import { patchObject } from "../../kubernetes/patch.ts";
import type { StreamingApi } from "../../kubernetes/transport.ts";
import { PUBLIC_KEY } from "../../model/encryption/encryption.ts";
import { type KindName, resourcePath } from "../../model/objects/kinds.ts";
import type { BlockClaims } from "../ipam/block.ts";
import type { Logger } from "../observe/log.ts";
import type { LastGoodFile } from "../run-folder/last-good-file.ts";
import { ApiSource, connect, type ObjectSource } from "./api-source.ts";
import { ApiBlockClaims, FileBlockClaims } from "./block-claims.ts";
import { FileSource } from "./file-source.ts";
import { kinds } from "./kinds.ts";
import { eventPublisher, ProblemReporter } from "./problem-reporter.ts";
import { ApiSecrets, FileSecrets, type Secrets } from "./secrets.ts";
import { SnapshotStore } from "./snapshot-store.ts";

/** The source of the agent's objects, and where it reports their problems. */
export interface Cluster {
  readonly store: SnapshotStore;
  readonly claims: BlockClaims;
  readonly problems: ProblemReporter;
  readonly secrets: Secrets;
  /** Writes the public key of a node for WireGuard into its Node object. */
  publishKey(node: string, publicKey: string): Promise<void>;
  /** For requests that must be answered soon, or fail. undefined: the objects are files. */
  readonly hastyApi?: StreamingApi;
  /** For people: "the API server" or the folder. */
  readonly name: string;
  /** Saves for the next agent what this agent knows and the objects no longer contain. */
  readonly remember?: () => void;
  /** Keeps the store up to date until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** Passwords of BGP are the only Secrets that are read. */
const OWNER_OF_SECRETS: KindName = "bgpPeers";

/** A request that takes longer fails: a Lease that is renewed too late is lost. */
const HASTY_MS = 1_000;

/** The cluster of an API server, reached as a pod or with a kubeconfig; `changed` is called after every change.
 * @param lastGood keeps good versions of policies for the next agent */
export function apiCluster(
  kubeconfig: string | undefined,
  changed: (kind: KindName) => void,
  log: Logger,
  lastGood?: LastGoodFile,
): Cluster {
  const api = connect(kubeconfig);
  const store = new SnapshotStore(changed, lastGood?.read());
  const publish = eventPublisher(api, (problem) => store.reference(problem), log);
  const claims = new ApiBlockClaims(api, store);
  return {
    ...cluster("the API server", store, new ApiSource(api, log), claims, new ProblemReporter(log, publish)),
    secrets: new ApiSecrets(api, () => changed(OWNER_OF_SECRETS)),
    publishKey: async (node, publicKey) => {
      const annotated = { metadata: { annotations: { [PUBLIC_KEY]: publicKey } } };
      await patchObject(api, `${resourcePath(kinds.nodes)}/${node}`, annotated, "ebpf-dataplane");
    },
    hastyApi: connect(kubeconfig, HASTY_MS),
    // Before the lists are complete, kept versions may be of objects that were not seen yet.
    remember: () => {
      if (store.complete) lastGood?.save(store.kept());
    },
  };
}

/** The cluster described by the files of a folder, for machines without Kubernetes. */
export function fileCluster(folder: string, changed: (kind: KindName) => void, log: Logger): Cluster {
  const store = new SnapshotStore(changed);
  const source = new FileSource(folder, log, () => changed(OWNER_OF_SECRETS));
  return {
    ...cluster(folder, store, source, new FileBlockClaims(folder, store), new ProblemReporter(log)),
    secrets: new FileSecrets(() => source.objects),
    publishKey: (node, publicKey) =>
      Promise.reject(new Error(`objects are files: write ${PUBLIC_KEY}: ${publicKey} into the file of Node ${node}`)),
  };
}

function cluster(
  name: string,
  store: SnapshotStore,
  source: ObjectSource,
  claims: BlockClaims,
  problems: ProblemReporter,
): Omit<Cluster, "secrets" | "publishKey"> {
  return { name, store, claims, problems, run: (signal) => source.run(store, signal) };
}
