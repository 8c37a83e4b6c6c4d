// The images in a machine's containerd.
import { commandFailure } from "../machines/command.ts";
import { runIn } from "../machines/enter.ts";

const CTR = ["ctr", "--namespace", "k8s.io", "images"];
const MANY_MS = 600_000;

/** A name, and the digest of its image. */
export interface NodeImage {
  name: string;
  digest: string;
}

/** Reads what `ctr images list` prints. */
export function parseImages(table: string): NodeImage[] {
  const rows = table.trimEnd().split("\n").slice(1);
  return rows.map((row) => {
    const [name = "", , digest = ""] = row.split(/\s+/);
    return { name, digest };
  });
}

export async function imagesOn(lab: string, machine: string): Promise<NodeImage[]> {
  const command = [...CTR, "list"];
  const result = await runIn(lab, machine, command, { timeout: MANY_MS });
  if (result.status !== 0) throw commandFailure(`list the images of machine ${machine}`, command, result);
  return parseImages(result.stdout);
}

/** The given names that exist, and the kubelet's own names for content that has no other name left: those names would keep it on the
 * disk. */
export function toRemove(present: readonly NodeImage[], names: readonly string[]): string[] {
  const gone = present.filter(({ name }) => names.includes(name));
  const left = present.filter(({ name }) => !names.includes(name));
  const isOwn = ({ name }: NodeImage) => name.startsWith("sha256:") || name.includes("@");
  const isNeeded = ({ digest }: NodeImage) => left.some((one) => one.digest === digest && !isOwn(one));
  const remains = left.filter(
    (one) => isOwn(one) && gone.some(({ digest }) => digest === one.digest) && !isNeeded(one),
  );
  return [...gone, ...remains].map(({ name }) => name);
}

/** Removes names, and content without another name. Content that a running container uses stays until the container ends. */
export async function removeFrom(lab: string, machine: string, names: readonly string[]): Promise<void> {
  const unwanted = toRemove(await imagesOn(lab, machine), names);
  if (unwanted.length === 0) return;
  const command = [...CTR, "remove", "--sync", ...unwanted];
  const result = await runIn(lab, machine, command, { timeout: MANY_MS });
  if (result.status !== 0) throw commandFailure(`remove ${names.join(", ")} from machine ${machine}`, command, result);
}
