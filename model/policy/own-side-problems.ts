import { firstFew } from "../first-few.ts";
import type { Problem } from "../problem.ts";
import type { CompiledPolicy, PolicyRule } from "./compiled-policy.ts";
import type { HostSubject } from "./host-directory.ts";
import type { Subject } from "./subject.ts";

/** Policies of forwarded traffic whose rules say something of its end on this side: they are resolved for the host endpoint (own-side.ts), which
 * that end need not be.
 * @param inForce those that apply to anything here */
export function ownSideProblems(
  inForce: readonly CompiledPolicy[],
  subjects: ReadonlyMap<HostSubject, Subject>,
): Problem[] {
  const others = [...subjects].flatMap(([{ traffic }, subject]) => (traffic === "own" ? [] : [subject]));
  return inForce
    .filter((policy) => others.some((subject) => subject.asks(policy) && policy.subject.selects(subject.who)))
    .flatMap(({ kind, name, ingress, egress }) => {
      const rules = [...restricted(ingress), ...restricted(egress)];
      return rules.length === 0 ? [] : [{ kind, name, path: "spec.applyOnForward", message: messageOf(rules) }];
    });
}

function restricted(rules: readonly PolicyRule[] = []): string[] {
  return [...new Set(rules.flatMap(({ here, reason }) => (here ? [reason.split(", ").at(-1) ?? reason] : [])))];
}

function messageOf(rules: readonly string[]): string {
  return (
    `the destination of ingress rules and the source of egress rules stand for the host endpoint itself, also of traffic that it forwards to or from others: ` +
    `selectors and networks there (${firstFew(rules)}) select no pods, Services or other hosts. Next: leave them out, tell that end by its ports, or write policies of the pods.`
  );
}
