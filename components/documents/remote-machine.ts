import { z } from "zod";
import { userRule } from "../rules/names.ts";
import { known, text, whole } from "./fields.ts";
import { ruled } from "./ruled.ts";

/** How a machine outside the cluster is entered by SSH. */
export const connectionSchema = known(
  {
    host: text("a host").describe("Address or name by which this computer reaches it."),
    port: whole(1, 65_535, "Its SSH server's port.").optional(),
    user: ruled(userRule, z.string().min(1)).optional().describe("Defaults to what OpenSSH's configuration says."),
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
      .describe("off: any host key is accepted. Only for machines that were just made."),
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
