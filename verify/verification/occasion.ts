import { getObject } from "../../kubernetes/get.ts";
import type { Api } from "../../kubernetes/transport.ts";
import type { Occasion } from "../../report/results/occasion.ts";
import { packageCommit, packageVersion } from "../this-package.ts";

/** Notes when and on which cluster something is verified. Called before; what it returns is called after. */
export async function observeOccasion(api: Api): Promise<() => Occasion> {
  const begunAt = new Date().toISOString();
  // What does not answer is no reason to verify nothing: what is verified says so itself.
  const ask = <T>(path: string) => getObject<T>(api, path).catch(() => undefined);
  const [version, namespace] = await Promise.all([
    ask<{ gitVersion: string }>("/version"),
    ask<{ metadata?: { uid?: string } }>("/api/v1/namespaces/kube-system"),
  ]);
  const commit = packageCommit();
  const id = namespace?.metadata?.uid;
  return () => ({
    begunAt,
    endedAt: new Date().toISOString(),
    cluster: {
      server: api.server,
      ...(id && { id }),
      ...(version && { kubernetes: version.gitVersion }),
    },
    version: packageVersion(),
    ...(commit && { commit }),
  });
}
