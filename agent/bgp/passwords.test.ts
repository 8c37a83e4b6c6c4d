import { expect, test } from "vitest";
import type { BgpPlan, BgpSession } from "../../model/bgp/plan.ts";
import { judged } from "../../model/bgp/worlds.fixture.ts";
import type { SecretValue } from "../watch/secrets.ts";
import { birdConfiguration } from "./configuration.ts";
import { passwordsOf } from "./passwords.ts";

const at = (key: string) => ({ secretKeyRef: { name: "bgp", key } });
const plan = judged({
  configuration: { nodeMeshPassword: at("mesh") },
  peers: { tor: { peerIP: "192.0.2.254", asNumber: 64500, password: at("tor") } },
}).plan as BgpPlan;
const read = (values: Readonly<Record<string, SecretValue>>, before = new Map<string, string>()) =>
  passwordsOf(plan.sessions as BgpSession[], ({ key }) => values[key] as SecretValue, before);
const missing: SecretValue = { field: "key", fault: "the Secret bgp has no key tor" };

test("each session has its password, and none is without", () => {
  const { bySession, problems } = read({ mesh: { text: "between nodes" }, tor: { text: "s3cret" } });
  expect(problems).toEqual([]);
  const text = birdConfiguration(plan, bySession);
  expect(text.match(/password "s3cret";/g)).toHaveLength(1);
  expect(text.match(/password "between nodes";/g)).toHaveLength(plan.sessions.length - 1);
});

test("what cannot be used is told once for each object, without what it is, and there is no session", () => {
  const { bySession, problems } = read({ mesh: { text: 'a "quoted one' }, tor: missing });
  expect(bySession.size).toBe(0);
  expect(birdConfiguration(plan, bySession)).not.toContain("protocol bgp");
  expect(problems.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
    "BGPConfiguration spec.nodeMeshPassword.secretKeyRef.key",
    "BGPPeer spec.password.secretKeyRef.key",
  ]);
  expect(JSON.stringify(problems)).not.toContain("quoted");
});

test.each<[string, SecretValue]>([
  ["is gone", missing],
  ["ends with a line break", { text: "s3cret\n" }],
  ["is empty", { text: "" }],
])("a password that %s does not replace the one before", (_, value) => {
  const first = read({ mesh: { text: "m" }, tor: { text: "s3cret" } });
  const second = read({ mesh: { text: "m" }, tor: value }, new Map(first.good));
  expect(second.bySession).toEqual(first.bySession);
  expect(second.problems).toMatchObject([{ kind: "BGPPeer", message: expect.stringContaining("keep the password") }]);
  const third = read({ mesh: { text: "m" }, tor: { text: "next" } }, new Map(second.good));
  expect([...third.bySession.values()]).toContain("next");
});

test("one that was not read yet is no fault", () => {
  expect(read({ mesh: { text: "m" }, tor: "unknown yet" })).toMatchObject({ incomplete: true, problems: [] });
});
