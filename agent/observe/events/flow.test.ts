import { expect, test } from "vitest";
import type { NumberContents } from "../../compile/desired.ts";
import { ConnectionFlag, type Event, EventKind } from "../../kernel/layout.gen.ts";
import { eventAt, names, state } from "./audited-pod.fixture.ts";
import { flowOf } from "./flow.ts";

const context = { node: "node", names, wallClock: () => 0 };

test("what a Log rule matched names tier, policy and rule, whether it was allowed or refused then", () => {
  const saidAt = (port: number, contents: () => NumberContents, more: Partial<Event> = {}) => {
    const { rule, text } = flowOf({ ...eventAt(port, EventKind.LOGGED), ...more }, { ...context, contents });
    return [rule, text];
  };
  const inForce = () => state.contents;
  const gone = () => ({ policies: new Map(), identities: new Map() });
  for (const contents of [inForce, gone])
    expect(saidAt(5432, contents)).toEqual([
      "tier security, GlobalNetworkPolicy security.audit, ingress rule 1",
      expect.stringMatching(/^ingress of pod default\/db allowed by /),
    ]);
  for (const contents of [inForce, gone])
    expect(saidAt(22, contents)).toEqual([
      "tier security, GlobalNetworkPolicy security.audit, ingress rule 2",
      expect.stringMatching(/^ingress of pod default\/db denied: no rule of NetworkPolicy default\/open allows it/),
    ]);
  expect(saidAt(5432, inForce, { rule: 0 })[0]).toBe(
    "tier security, GlobalNetworkPolicy security.audit, ingress rule 1",
  );
  expect(saidAt(5432, gone, { rule: 0 })[0]).toBe("a rule that is not in force any more");
});

test("the node that stands for a client outside is no node that a connection goes to", () => {
  const opened = { ...eventAt(5432, EventKind.OPENED), node: "172.31.1.8" };
  const contents = () => state.contents;
  const peerOf = (flags: number) => flowOf({ ...opened, flags }, { ...context, contents }).peer;
  expect(peerOf(ConnectionFlag.FORWARDED)).toBeDefined();
  expect(peerOf(ConnectionFlag.MASQUERADED)).toBeUndefined();
});
