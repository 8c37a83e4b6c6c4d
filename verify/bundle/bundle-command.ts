import { existsSync } from "node:fs";
import { join } from "node:path";
import { NoCluster } from "../connect.ts";
import { fileProblem } from "../file-errors.ts";
import { inspecting } from "../inspect/ask-nodes.ts";
import { asking, nodeReports } from "../status/node-reports.ts";
import { Stopped, stopOnSignal, stoppedStatus, unlessStopped } from "../stopping.ts";
import { packageVersion } from "../this-package.ts";
import { type ClusterOptions, reachCluster } from "../watch/agents.ts";
import { Archive } from "./archive.ts";
import { collect, HAS_NONE } from "./collect.ts";
import { knownSecrets } from "./known-secrets.ts";
import { piecesOf } from "./pieces.ts";

export interface BundleOptions extends ClusterOptions {
  /** The archive; absent: named after the time, in the current folder. */
  out?: string;
}

/** Writes one archive for support. @returns the exit status: 1 if a part is missing, 2 if there is none */
export async function bundleCommand(options: BundleOptions): Promise<number> {
  const writtenAt = new Date().toISOString();
  const name = `ebpf-dataplane-${writtenAt.slice(0, 19).replace(/[-:]/g, "").replace("T", "-")}`;
  const out = options.out ?? join(".", `${name}.tar.gz`);
  const stopping = stopOnSignal();
  let archive: Archive | undefined;
  try {
    if (existsSync(out)) throw new NoCluster(`${out} exists already; name another file with --out`);
    const reached = await unlessStopped(stopping, reachCluster(options));
    const { api, view } = reached;
    console.error(`asking ${view.nodes.length} nodes of ${api.server}`);
    archive = new Archive(out, name);
    let reports: ReturnType<typeof nodeReports> | undefined;
    const pieces = piecesOf({
      ...{ api, view, version: packageVersion(), inspect: inspecting(reached) },
      reports: () => {
        reports ??= nodeReports(view, asking(api));
        return reports;
      },
    });
    const about = { writtenAt, version: packageVersion(), cluster: api.server };
    const collecting = collect(pieces, archive, about, knownSecrets(api.access));
    const { collected, missing } = await unlessStopped(stopping, collecting);
    await archive.close();
    const unread = missing.filter(({ why }) => why !== HAS_NONE);
    for (const { path, why } of unread) console.error(`without ${path}: ${why}`);
    console.error(
      `wrote ${out}: ${collected.length} files; manifest.json in it says what it holds and what is left out`,
    );
    return unread.length > 0 ? 1 : 0;
  } catch (error) {
    archive?.abandon();
    if (error instanceof Stopped) return stoppedStatus;
    console.error(fileProblem(error) ?? (error as Error).message);
    return error instanceof NoCluster ? 2 : 1;
  }
}
