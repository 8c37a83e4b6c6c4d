import type { Family } from "../../model/address/address.ts";
import type { ReasonCode } from "../../report/results/verification.ts";

/** What handles services, if not this dataplane, and the return mode in FelixConfiguration. */
export interface Handling {
  /** A pod of kube-proxy, NAMESPACE/NAME, that runs on the node. */
  kubeProxy?: string;
  /** The service handling in FelixConfiguration's annotation. */
  leftTo?: string;
  /** `DSR` or `Tunnel`; absent: there is no FelixConfiguration default. */
  configured?: string;
}

/** A server that saw another source than the expected ones. */
interface SeenSource {
  source: string;
  /** The owner of that address. */
  owner?: string;
  server?: string;
  /** The expected sources, as written. */
  allowed: string[];
}

interface Facts {
  /** A name in the check does not exist. */
  missing: { what: string };
  apiUnreachable: { message: string };
  apiRefused: { message: string };
  /** The sender cannot be reached, or was lost during the probe. */
  proberLost: { message: string; onNode: boolean };
  unresolved: { message: string };
  /** Nothing was sent for another reason. */
  notSent: { message: string };
  /** No packet can have left. */
  unsent: { from: string; why: string };
  attemptsMissing: { count: number };
  otherVerdict: { observed: string; expected: string; error?: string; refusal?: Refusal };
  /** A node put its own address in place of the client's. */
  sourceRewritten: SeenSource & Handling & { node: string; onServerNode: boolean };
  otherSource: SeenSource;
  /** The source that the server saw is not known, because of missing log entries. */
  logWithoutAddress: { server: string; line: string };
  logUnreadable: { server: string; why: string };
  noServerKnown: object;
  notLogged: { searched: string[] };
  otherServer: { server?: string; allowed: string[] };
  tooFewServers: { servers: string[]; least: number };
  tooManyServers: { servers: string[]; most: number };
  serversUnknown: object;
  /** Not all bytes came back as they were sent. */
  otherEcho: { echoed: number; size: number; differsAt?: number; answer?: string; error?: string };
  /** Another HTTP status; absent: the answer is not HTTP. */
  otherStatus: { observed?: number; expected: number; path: string; answer?: string };
  /** The reply passed the entry node. */
  replyDetour: Handling & { node?: string };
  /** The reply did not pass the entry node. */
  replyShortcut: Handling & { node?: string };
}

/** What refuses the connection, according to the cluster's objects. */
export type Refusal =
  | { kind: "noReadyPod"; service: string }
  /** Others are ready; `pods` are those behind the service, with what addresses they have. */
  | { kind: "noReadyPodOfFamily"; service: string; family: Family; pods: { pod: string; addresses: string[] }[] }
  | { kind: "readyPods"; service: string; ready: string[] }
  | { kind: "pod"; pod: string; port: number };

/** Why an expectation does not hold: a code with its facts. Sentences and advice are made from it, in `verify/words`. */
export type Reason = { [Code in ReasonCode]: { code: Code } & Facts[Code] }[ReasonCode];
