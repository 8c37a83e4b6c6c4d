import { requireMember } from "./inputs/choices";
import { at, type InputPlace, refuse } from "./inputs/refusal";

/** What an attempted connection shows. */
export enum Verdict {
  /** Something came back. */
  Allowed = "allowed",
  /** Nothing came back. */
  Dropped = "dropped",
  /** A reset, or an ICMP error. */
  Rejected = "rejected",
}

/** One more thing that must hold, in the words of check files (docs/checks.md). */
export interface Expectation {
  /** Who tries: a machine, `node/NAME`, `pod/NAMESPACE/NAME` or `pod/NAMESPACE/LABEL=VALUE`. */
  from: string;
  /** What it tries to reach, like `tcp://service/default/nginx:80` or `udp://172.31.1.8:30053`. */
  to: string;
  /** What must be shown. */
  verdict: Verdict;
  /** Whom the server must have seen: an address, a machine, `node/NAME` or `pod/NAMESPACE/NAME`. Defaults to anybody. */
  source?: string;
}

/** Refuses what cannot be an expectation; the rest is the check's to judge, which knows the cluster. */
export function requireExpectation(place: InputPlace, expectation: Expectation): void {
  if (!expectation.from) refuse(at(place, "from"), expectation.from, "a machine, node/NAME or pod/NAMESPACE/NAME");
  if (!/^(tcp|udp):\/\/.+:\d+$/.test(expectation.to)) {
    refuse(at(place, "to"), expectation.to, "tcp://HOST:PORT or udp://HOST:PORT");
  }
  requireMember(at(place, "verdict"), Verdict, expectation.verdict);
}
