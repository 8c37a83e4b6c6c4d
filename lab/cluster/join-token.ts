import { randomBytes } from "node:crypto";
import { commandFailure } from "../machines/command.ts";
import { runIn } from "../machines/enter.ts";

/** How long a token admits nodes: as long as making them may take. One who joins later gets another. */
export const joinTokenLife = "1h";

/** The token that a control plane is made with (kubeadm's form). */
export const newToken = (): string => `${randomBytes(3).toString("hex")}.${randomBytes(8).toString("hex")}`;

/** Has a control plane that runs make a token. kubeadm thinks of it itself, so that it is an argument of no program.
 * @throws LabFailure with what kubeadm said */
export async function createToken(lab: string, controlPlane: string): Promise<string> {
  const argv = ["kubeadm", "token", "create", "--ttl", joinTokenLife];
  const result = await runIn(lab, controlPlane, argv);
  const token = result.stdout.trim().split("\n").at(-1) ?? "";
  if (result.status === 0 && /^[a-z0-9]{6}\.[a-z0-9]{16}$/.test(token)) return token;
  throw commandFailure(`make a token with which nodes join lab ${lab}`, argv, result);
}
