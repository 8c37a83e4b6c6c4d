// The flows that are asked for: as options of `inspect flows`, and as the query of GET /flows.
import { FormatError, requireName } from "../../../model/expectation/place.ts";
import { type EndTerm, type FlowFilter, parseTerm } from "./flow-filter.ts";

/** Lists are alternatives; ends in the form of `parseTerm`. */
export interface FlowQuery {
  readonly from?: readonly string[];
  readonly to?: readonly string[];
  /** service/NAMESPACE/NAME */
  readonly service?: readonly string[];
  readonly namespace?: readonly string[];
  readonly policy?: readonly string[];
  readonly refused?: boolean;
  /** false: no opened connections to port 53. */
  readonly dns?: boolean;
  /** Also the flows of the last seconds. */
  readonly since?: number;
}

/** The longest past that can be asked for: seconds. */
export const LONGEST_PAST = 3600;

const LISTS = ["from", "to", "service", "namespace", "policy"] as const;
/** The most words of one list. */
const MOST_WORDS = 100;

export function queryParameters(query: FlowQuery): URLSearchParams {
  const lists = LISTS.flatMap((list) => (query[list] ?? []).map((word): [string, string] => [list, word]));
  return new URLSearchParams([
    ...lists,
    ...(query.refused ? [["refused", "true"]] : []),
    ...(query.dns === false ? [["dns", "false"]] : []),
    ...(query.since ? [["since", String(query.since)]] : []),
  ]);
}

/** The options of `inspect flows` with the same meaning. */
export function queryOptions(query: FlowQuery): string[] {
  return [
    ...LISTS.flatMap((list) => (query[list] ?? []).flatMap((word) => [`--${list}`, word])),
    ...(query.refused ? ["--refused"] : []),
    ...(query.dns === false ? ["--no-dns"] : []),
    ...(query.since ? ["--since", String(query.since)] : []),
  ];
}

/** @throws FormatError */
export function readQuery(parameters: URLSearchParams): FlowFilter {
  for (const [name, value] of parameters) {
    const isKnown = LISTS.some((list) => list === name) || name === "since";
    if (!isKnown && `${name}=${value}` !== "refused=true" && `${name}=${value}` !== "dns=false")
      throw new FormatError(
        `"${name}=${value}" selects no flows`,
        `${LISTS.join(", ")}, since, refused=true, dns=false`,
      );
  }
  const list = <T>(name: (typeof LISTS)[number], read: (text: string) => T): T[] => {
    const words = parameters.getAll(name);
    if (words.length > MOST_WORDS)
      throw new FormatError(`${name} has ${words.length} alternatives`, `at most ${MOST_WORDS}`);
    return words.map(read);
  };
  return {
    from: list("from", parseTerm),
    to: list("to", parseTerm),
    services: list("service", serviceTerm),
    namespaces: list("namespace", (text) => requireName(text, text)),
    policies: list("policy", policyName),
    refused: parameters.has("refused"),
    dns: !parameters.has("dns"),
  };
}

/** @returns seconds; undefined: only what happens from now on @throws FormatError */
export function readSince(parameters: URLSearchParams): number | undefined {
  const text = parameters.get("since");
  if (text === null) return undefined;
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= LONGEST_PAST) return seconds;
  throw new FormatError(`since=${text} is no past`, `seconds from 1 to ${LONGEST_PAST}`);
}

function serviceTerm(text: string): EndTerm {
  const term = parseTerm(text);
  if (term.kind === "service") return term;
  throw new FormatError(`"${text}" is no Service`, "service/NAMESPACE/NAME");
}

function policyName(text: string): string {
  const parts = text.split("/").map((part) => requireName(text, part));
  if (parts.length <= 2) return parts.join("/");
  throw new FormatError(`"${text}" is no policy`, "NAME, NAMESPACE/NAME");
}
