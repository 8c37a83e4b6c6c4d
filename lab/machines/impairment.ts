import type { LabLink } from "../../components/documents/lab-network.ts";
import { LabFailure } from "../failure.ts";
import { attempt, commandFailure, run } from "./command.ts";

/** Words of tc-netem(8) for the loss and delay of a link; none for a link without. */
function wordsOf({ lossPercent = 0, delayMs = 0 }: LabLink): string[] {
  const delay = delayMs > 0 ? ["delay", `${delayMs}ms`] : [];
  const loss = lossPercent > 0 ? ["loss", `${lossPercent}%`] : [];
  // Packets that wait for their delay must not fill the queue: a second of 64,000 packets.
  return delay.length + loss.length > 0 ? [...delay, ...loss, "limit", "64000"] : [];
}

/** Why this kernel cannot make links lose or delay packets; nothing where it can. Tried in a namespace of its own. */
export async function impairmentFault(): Promise<string | undefined> {
  const argv = ["unshare", "--net", "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"];
  const tried = await attempt(argv);
  return tried.status === 0 ? undefined : commandFailure("use netem", argv, tried).message;
}

/** @throws LabFailure (exit code 2) if links are to lose or delay packets and this host's kernel cannot. */
export async function requireImpairment(links: LabLink[]): Promise<void> {
  if (links.every((link) => wordsOf(link).length === 0)) return;
  const fault = await impairmentFault();
  if (fault === undefined) return;
  throw new LabFailure(`lossPercent and delayMs of a link need the kernel's netem, which this host lacks; ${fault}`, {
    next: "boot a kernel with CONFIG_NET_SCH_NETEM (Debian's has it as a module), or leave out lossPercent and delayMs",
    exitCode: 2,
  });
}

/** Makes a port of the switch lose or delay what it sends to its machine. */
export async function impair(namespace: string, port: string, machine: string, link: LabLink): Promise<void> {
  const words = wordsOf(link);
  if (words.length === 0) return;
  await run(["tc", "-netns", namespace, "qdisc", "replace", "dev", port, "root", "netem", ...words], {
    purpose: `impair the link of machine ${machine}`,
  });
}
