import { join } from "node:path";

/** The command that runs a campaign in namespaces of its own: what it makes there ends with it. */
export function insideArgv(objects: string, preamble: string, seed: number, packets: number): string[] {
  const script = 'mount -t bpf bpf /sys/fs/bpf && exec "$0" "$@"';
  const inside = join(import.meta.dirname, "inside.ts");
  const campaign = [
    process.execPath,
    "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON",
    inside,
    objects,
    preamble,
    `${seed}`,
    `${packets}`,
  ];
  return ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", script, ...campaign];
}
