import { z } from "zod";

/** Error codes of the CNI specification (https://www.cni.dev/docs/spec/#error). */
export const CniCode = {
  INCOMPATIBLE_VERSION: 1,
  UNSUPPORTED_FIELD: 2,
  UNKNOWN_CONTAINER: 3,
  BAD_ENVIRONMENT: 4,
  // Codes 5 and 6, for input that cannot be read or decoded, are used by the shim.
  INVALID_CONFIGURATION: 7,
  TRY_AGAIN_LATER: 11,
  NOT_AVAILABLE: 50,
  LIMITED: 51,
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

/** The versions that first had a verb. */
const SINCE: Readonly<Record<string, string>> = { CHECK: "0.4.0", GC: "1.1.0", STATUS: "1.1.0" };

/** Names of networks and ids of containers (CNI specification, sections 1 and 2). */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

/** What Linux accepts as an interface's name. */
const INTERFACE = /^(?!\.{1,2}$)[^\s/:]{1,15}$/;

const attachment = z.object({ containerID: z.string(), ifname: z.string() });

const requestSchema = z.object({
  env: z.object({
    CNI_COMMAND: z.enum(["ADD", "DEL", "CHECK", "GC", "STATUS"]), // VERSION is the shim's
    CNI_CONTAINERID: z.string().default(""),
    CNI_NETNS: z.string().default(""),
    CNI_IFNAME: z.string().default(""),
    CNI_ARGS: z.string().default(""),
  }),
  config: z.looseObject({
    cniVersion: z.string().default("1.0.0"),
    name: z.string().default(""),
    type: z.string().default(""),
    runtimeConfig: z.record(z.string(), z.unknown()).nullish(),
    args: z.looseObject({ cni: z.record(z.string(), z.unknown()).nullish() }).nullish(),
    prevResult: z.looseObject({ ips: z.array(z.looseObject({ address: z.string() })).nullish() }).nullish(),
    "cni.dev/valid-attachments": z.array(attachment).nullish(),
  }),
});

/** One call of the plugin, as passed by the shim. */
export type CniRequest = z.infer<typeof requestSchema>;

/** The pod and interface of a call. */
export interface Attachment {
  readonly containerId: string;
  readonly ifname: string;
  /** The name of the network configuration. */
  readonly network: string;
  readonly netns: string;
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
}

export function parseRequest(body: unknown): CniRequest {
  const result = requestSchema.safeParse(body);
  if (!result.success)
    throw new CniError(CniCode.BAD_ENVIRONMENT, "Not a valid CNI request.", z.prettifyError(result.error));
  const { env, config } = result.data;
  const at = SUPPORTED_VERSIONS.indexOf(config.cniVersion);
  const first = SINCE[env.CNI_COMMAND];
  if (at < 0) {
    const message = `The network configuration requires CNI version ${config.cniVersion}; supported are ${SUPPORTED_VERSIONS.join(", ")}.`;
    throw new CniError(CniCode.INCOMPATIBLE_VERSION, message);
  }
  if (first && at < SUPPORTED_VERSIONS.indexOf(first)) {
    const message = `The network configuration has CNI version ${config.cniVersion}; ${env.CNI_COMMAND} exists since ${first}.`;
    throw new CniError(CniCode.INCOMPATIBLE_VERSION, message);
  }
  return result.data;
}

/** The attachment of a call. The pod is in CNI_ARGS, as sent by the container runtimes of kubelet. */
export function attachmentOf({ env, config }: CniRequest): Attachment {
  expectEnvironment("CNI_CONTAINERID", env.CNI_CONTAINERID, NAME, "letters, digits and _ . - after a letter or digit");
  expectEnvironment("CNI_IFNAME", env.CNI_IFNAME, INTERFACE, "an interface's name of at most 15 characters");
  const args = new Map(env.CNI_ARGS.split(";").map((pair) => pair.split("=") as [string, string]));
  return {
    containerId: env.CNI_CONTAINERID,
    ifname: env.CNI_IFNAME,
    network: config.name,
    // /var/run is a link to /run on every host, but not in every container.
    netns: env.CNI_NETNS.replace(/^\/var\/run\//, "/run/"),
    namespace: args.get("K8S_POD_NAMESPACE") ?? "",
    pod: args.get("K8S_POD_NAME") ?? "",
    uid: args.get("K8S_POD_UID") ?? "",
  };
}

function expectEnvironment(name: string, value: string, pattern: RegExp, expected: string): void {
  if (pattern.test(value)) return;
  const shown = value ? `${name} is ${JSON.stringify(value.slice(0, 100))}` : `${name} is not set`;
  throw new CniError(CniCode.BAD_ENVIRONMENT, `${shown}; expected ${expected}.`);
}

/** The network's name, without which the agent cannot tell which attachments belong to this network. */
export function networkOf({ config }: CniRequest): string {
  if (NAME.test(config.name)) return config.name;
  const message = `The network configuration's name is ${JSON.stringify(config.name.slice(0, 100))}; expected letters, digits and _ . - after a letter or digit.`;
  throw new CniError(CniCode.INVALID_CONFIGURATION, message);
}
