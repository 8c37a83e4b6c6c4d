import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { z } from "zod";
import { KUBE_PROXY_IMAGE } from "../../components/release/kubernetes-release.ts";

const run = promisify(execFile);
const manifestSchema = z.array(z.looseObject({ names: z.array(z.string()), file: z.string() }));

/** The node's own containerd. */
const images = ["ctr", "--namespace", "k8s.io", "images"];

/**
 * Copies kube-proxy's image to nodes that lack it; the lab's nodes do not have this large image by default, and there is
 * no registry to pull it from.
 * @param manifest path of the list of this computer's images (dist/images.json)
 * @param nodes for each node, the command prefix that runs a command there
 * @throws Error when the image is not built
 */
export async function loadProxyImage(manifest: string, nodes: string[][]): Promise<void> {
  const listed = manifestSchema.parse(JSON.parse(readFileSync(manifest, "utf8")));
  const file = listed.find(({ names }) => names.includes(KUBE_PROXY_IMAGE))?.file;
  if (!file) throw new Error(`${KUBE_PROXY_IMAGE} is not in ${manifest}: make build`);
  for (const [command = "", ...enter] of nodes) {
    const there = await run(command, [...enter, ...images, "list", "--quiet", `name==${KUBE_PROXY_IMAGE}`], {
      timeout: 60_000,
    });
    if (there.stdout.trim() === "") await run(command, [...enter, ...images, "import", file], { timeout: 300_000 });
  }
}
