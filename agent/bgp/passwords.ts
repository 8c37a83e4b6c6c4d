import type { BgpSession } from "../../model/bgp/plan.ts";
import type { SecretReference } from "../../model/objects/bgp/fields.ts";
import { passwordFault } from "../../model/objects/bgp/values.ts";
import type { Problem } from "../../model/problem.ts";
import type { SecretValue } from "../watch/secrets.ts";
import { sessionName } from "./configuration.ts";

export interface Passwords {
  /** By the names of the sessions. */
  readonly bySession: ReadonlyMap<string, string>;
  /** By Secret and key: the last usable version of each password, for when the next version is not usable. */
  readonly good: ReadonlyMap<string, string>;
  /** Whether a Secret was not read yet. */
  readonly incomplete: boolean;
  readonly problems: readonly Problem[];
}

export const NO_PASSWORDS: Passwords = { bySession: new Map(), good: new Map(), incomplete: false, problems: [] };

/** The passwords of the sessions that have one. No message contains any part of them. @param before the result of the last call */
export function passwordsOf(
  sessions: readonly BgpSession[],
  read: (reference: SecretReference) => SecretValue,
  before: Passwords["good"],
): Passwords {
  const bySession = new Map<string, string>();
  const good = new Map<string, string>();
  const problems = new Map<string, Problem>();
  let incomplete = false;
  for (const session of sessions) {
    const reference = session.password;
    if (!reference) continue;
    const place = `${reference.name}/${reference.key}`;
    const value = read(reference);
    incomplete ||= value === "unknown yet";
    const found = value === "unknown yet" ? undefined : checked(value);
    const text = found && "text" in found ? found.text : before.get(place);
    if (text !== undefined) {
      good.set(place, text);
      bySession.set(sessionName(session), text);
    }
    if (found && "fault" in found) {
      const problem = problemOf(session, found, text !== undefined);
      problems.set(`${problem.kind} ${problem.name} ${problem.path}`, problem);
    }
  }
  return { bySession, good, incomplete, problems: [...problems.values()] };
}

type Read = Exclude<SecretValue, "unknown yet">;

function checked(value: Read): Read {
  if ("fault" in value) return value;
  const fault = passwordFault(value.text);
  const end = /[\r\n]$/.test(value.text) ? ", and it ends with a line break" : "";
  return fault === undefined ? value : { field: "key", fault: `what it holds is no password of BGP: ${fault}${end}` };
}

function problemOf({ owner }: BgpSession, { fault, field }: Exclude<Read, { text: string }>, goesOn: boolean): Problem {
  const at = owner.kind === "BGPPeer" ? "spec.password" : "spec.nodeMeshPassword";
  const outcome = goesOn ? "its sessions keep the password that they have" : "it has no sessions until that is mended";
  return { ...owner, path: `${at}.secretKeyRef.${field}`, message: `${fault}; ${outcome}.` };
}
