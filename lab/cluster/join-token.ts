import { randomBytes } from "node:crypto";
import { commandFailure } from "../machines/command.ts";
import { runIn } from "../machines/enter.ts";

/** Lifetime of a token: the time that creating nodes may take. A node that joins later gets another token. */
export const joinTokenLife = "1h";

/** The token with which a control plane is created (in kubeadm's format). */
export const newToken = (): string => `${randomBytes(3).toString("hex")}.${randomBytes(8).toString("hex")}`;

/** Creates a token on a running control plane. kubeadm generates it, so that it never appears in a program's arguments.
 * @throws LabFailure with kubeadm's output */
export async function createToken(lab: string, controlPlane: string): Promise<string> {
  const argv = ["kubeadm", "token", "create", "--ttl", joinTokenLife];
  const result = await runIn(lab, controlPlane, argv);
  const token = result.stdout.trim().split("\n").at(-1) ?? "";
  if (result.status === 0 && /^[a-z0-9]{6}\.[a-z0-9]{16}$/.test(token)) return token;
  throw commandFailure(`create a token for nodes to join lab ${lab}`, argv, result);
}
