import { z } from "zod";

/** Error codes of the CNI specification (https://www.cni.dev/docs/spec/#error). */
export const CniCode = {
  INCOMPATIBLE_VERSION: 1,
  UNKNOWN_CONTAINER: 3,
  BAD_ENVIRONMENT: 4,
  INVALID_CONFIGURATION: 7,
  TRY_AGAIN_LATER: 11,
  INTERNAL: 100,
  CHECK_FAILED: 101,
} as const;

/** An error for the container runtime, in its own format. */
export class CniError extends Error {
  readonly code: number;
  readonly details: string;

  constructor(code: number, message: string, details = "") {
    super(message);
    this.name = "CniError";
    this.code = code;
    this.details = details;
  }
}

export const SUPPORTED_VERSIONS = ["0.3.1", "0.4.0", "1.0.0", "1.1.0"];

const attachment = z.object({ containerID: z.string(), ifname: z.string() });

const requestSchema = z.object({
  env: z.object({
    CNI_COMMAND: z.enum(["ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"]),
    CNI_CONTAINERID: z.string().default(""),
    CNI_NETNS: z.string().default(""),
    CNI_IFNAME: z.string().default(""),
    CNI_ARGS: z.string().default(""),
  }),
  config: z.looseObject({
    cniVersion: z.string().default("1.0.0"),
    name: z.string().default(""),
    type: z.string().default(""),
    "cni.dev/valid-attachments": z.array(attachment).optional(),
  }),
});

/** One call of the plugin, as passed by the shim. */
export type CniRequest = z.infer<typeof requestSchema>;

/** The pod and interface of a call. */
export interface Attachment {
  readonly containerId: string;
  readonly ifname: string;
  readonly netns: string;
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
}

export function parseRequest(body: unknown): CniRequest {
  const result = requestSchema.safeParse(body);
  if (!result.success)
    throw new CniError(CniCode.BAD_ENVIRONMENT, "Not a valid CNI request.", z.prettifyError(result.error));
  const { cniVersion } = result.data.config;
  if (SUPPORTED_VERSIONS.includes(cniVersion)) return result.data;
  throw new CniError(
    CniCode.INCOMPATIBLE_VERSION,
    `The network configuration requires CNI version ${cniVersion}; supported are ${SUPPORTED_VERSIONS.join(", ")}.`,
  );
}

/** The attachment of a call. The pod is in CNI_ARGS, as sent by the container runtimes of kubelet. */
export function attachmentOf({ env }: CniRequest): Attachment {
  if (!env.CNI_CONTAINERID || !env.CNI_IFNAME) {
    throw new CniError(CniCode.BAD_ENVIRONMENT, "CNI_CONTAINERID and CNI_IFNAME must be set.");
  }
  const args = new Map(env.CNI_ARGS.split(";").map((pair) => pair.split("=") as [string, string]));
  return {
    containerId: env.CNI_CONTAINERID,
    ifname: env.CNI_IFNAME,
    // /var/run is a link to /run on every host, but not in every container.
    netns: env.CNI_NETNS.replace(/^\/var\/run\//, "/run/"),
    namespace: args.get("K8S_POD_NAMESPACE") ?? "",
    pod: args.get("K8S_POD_NAME") ?? "",
    uid: args.get("K8S_POD_UID") ?? "",
  };
}
