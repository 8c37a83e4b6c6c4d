import { parse } from "yaml";
import { z } from "zod";
import { known, text, whole } from "../format/fields.ts";
import { CheckFileError } from "../format/read.ts";

/** How a machine outside the cluster is entered by SSH. */
export const connectionSchema = known(
  {
    host: text("a host").describe("Address or name by which this computer reaches it."),
    port: whole(1, 65_535, "Its SSH server's port.").optional(),
    user: z.string().min(1).optional().describe("Defaults to what OpenSSH's configuration says."),
    hostKey: z
      .string()
      .regex(/^[a-z0-9@.-]+ [A-Za-z0-9+/]+=*( .*)?$/, {
        error: "must be a public host key, like ssh-ed25519 AAAA…: what ssh-keyscan prints after the name",
      })
      .optional()
      .describe("Its only public host key. Defaults to what is in known_hosts."),
    hostKeyChecking: z
      .enum(["strict", "off"])
      .default("strict")
      .describe("off: whoever answers at the host is believed. For machines that were just made, and nothing else."),
    proxyCommand: z.string().min(1).optional().describe("OpenSSH's ProxyCommand, as for AWS Session Manager."),
  },
  "How a machine is entered by SSH.",
);
export type Connection = z.output<typeof connectionSchema>;

/** A machine outside the cluster. */
export const remoteMachineSchema = known(
  {
    name: text("a machine's name").describe("What checks call it."),
    address: text("an address").describe("The address that servers see of it."),
    ssh: connectionSchema,
  },
  "A machine outside the cluster that is reached by SSH.",
);
export type RemoteMachine = z.output<typeof remoteMachineSchema>;

/** Reads a list of machines, YAML or JSON. Throws CheckFileError with everything that is wrong. */
export function readMachines(content: string, file: string): RemoteMachine[] {
  let written: unknown;
  try {
    written = parse(content);
  } catch (error) {
    throw new CheckFileError(`${file}: is neither YAML nor JSON: ${(error as Error).message}`);
  }
  const { success, data, error } = z.array(remoteMachineSchema).safeParse(written);
  if (success) return data;
  throw new CheckFileError(`${file}: ${z.prettifyError(error)}`);
}
