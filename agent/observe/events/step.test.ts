import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { type Event, EventKind, Hook, Outcome, PolicyVerdict } from "../../kernel/layout.gen.ts";
import { stepLines } from "../inspect/step-lines.ts";
import { eventAt, names, state } from "./audited-pod.fixture.ts";
import { stepOf } from "./step.ts";

const context = { node: "node", names, contents: () => state.contents, deviceName: () => "eth0" };

/** A packet of a client to a port of the pod, as a trace prints it. */
function story(port: number, outcome: number): string[] {
  const judged = {
    ...eventAt(port, EventKind.JUDGED),
    hook: Hook.FROM_UPLINK,
    outcome: 0,
    tcpFlags: 2,
    interface: 2,
  } as Event;
  const events = [EventKind.ARRIVED, EventKind.JUDGED, EventKind.FINISHED].map((kind, index) => ({
    ...judged,
    ...{ kind, time: BigInt(index) * 10_000n, outcome },
  }));
  return stepLines(events.map((event) => stepOf(event, context))).map(stripVTControlCharacters);
}

test("a trace names tier, policy and rule at each judging point: what passed, and what allowed or refused", () => {
  const passed = "tier security: pass, by tier security, GlobalNetworkPolicy security.audit, ingress rule 3";
  const ingress = "            judged    ingress of pod default/db:";
  const client = "172.31.1.55 [not named by any policy]";
  expect([...story(5432, Outcome.TO_ENDPOINT), ...story(22, Outcome.DROP_POLICY_INGRESS)]).toEqual([
    "",
    "   0.000 ms  node from_uplink  TCP SYN 172.31.1.55:40000 > 10.244.0.66:5432 (pod default/db) on eth0",
    `${ingress} allowed for ${client} by ${passed}; tier default: allow, by NetworkPolicy default/open, ingress rule 1`,
    "            finished  delivered to a workload of this node: 172.31.1.55:40000 > 10.244.0.66:5432 (pod default/db)",
    "",
    "   0.000 ms  node from_uplink  TCP SYN 172.31.1.55:40000 > 10.244.0.66:22 (pod default/db) on eth0",
    `${ingress} DENIED for ${client}: ${passed}; no rule of NetworkPolicy default/open allows it (end of tier default)`,
    "            finished  DROPPED (drop_policy_ingress): an ingress policy of the receiving workload does not allow it",
  ]);
});

test("without the policies that decided, a trace names what it knows", () => {
  const judged = eventAt(5432, EventKind.JUDGED);
  const text = (event: Event) =>
    stepOf(event, { ...context, contents: () => ({ policies: new Map(), identities: new Map() }) }).text;
  expect(text(judged)).toMatch(
    /^ingress of pod default\/db: allowed for 172\.31\.1\.55 \[not named by any policy\] by /,
  );
  // Changed meanwhile: what is in force now would say otherwise.
  expect(stepOf({ ...judged, verdict: PolicyVerdict.DENY } as Event, context).text).not.toContain(
    "tier default: allow",
  );
});
