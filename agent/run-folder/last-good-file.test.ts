import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { KindName } from "../../model/objects/kinds.ts";
import { kindNames } from "../../model/objects/kinds.ts";
import { LAST_GOOD_FILE } from "../options.ts";
import { SnapshotStore } from "../watch/snapshot-store.ts";
import { LastGoodFile } from "./last-good-file.ts";

const runDirectory = mkdtempSync(join(tmpdir(), "last-good-"));
const path = join(runDirectory, LAST_GOOD_FILE);
const said: string[] = [];
const log = { warn: (message: unknown) => void said.push(String(message)) };
afterEach(() => rmSync(path, { force: true }));

interface Version {
  readonly name?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly generation: number;
}
const policy = ({ name = "p", namespace = "shop", uid = "u1", generation }: Version, spec: object) => ({
  metadata: { name, namespace, uid, generation, managedFields: [{ manager: "kubectl" }] },
  spec: { podSelector: { matchLabels: { app: "web" } }, ...spec },
});
const opens = { ingress: [{ ports: [{ port: 80 }] }] };
const unreadable = { ingress: [{ ports: [{ port: 70_000 }] }] };

/** An agent's life: it reads what the last one kept, sees these lists and then these versions, and keeps what it knows. */
function agent(first: readonly object[], later: readonly object[] = [], kind: KindName = "networkPolicies") {
  const file = new LastGoodFile({ runDirectory }, log);
  const store = new SnapshotStore(() => {}, file.read());
  for (const name of kindNames) store.replace(name, name === kind ? first : []);
  for (const object of later) store.put(kind, object);
  file.save(store.kept());
  return {
    /** Rules of each policy, and whether it is said to be its last good version. */
    rules: store.list("networkPolicies").map(({ metadata, spec }) => `${metadata.name} ${spec.ingress.length}`),
    said: store.problems().map(({ message }) => message.split("; ").at(-1)),
  };
}
const KEPT = { rules: ["p 1"], said: ["its last good version stays in force."] };
const CLOSED = { rules: ["p 0"], said: ["it isolates its pods and allows nothing until it is fixed."] };
const good = policy({ generation: 3 }, opens);
const bad = policy({ generation: 4 }, unreadable);

describe("the last good version of a policy that cannot be read", () => {
  test("outlives agents while exactly that version is there", () => {
    expect(agent([good], [bad])).toEqual(KEPT);
    for (let again = 0; again < 3; again++) expect(agent([bad])).toEqual(KEPT);
    expect(agent([bad], [policy({ generation: 5 }, { ...unreadable, egress: [] })])).toEqual(KEPT);
    expect(agent([policy({ generation: 5 }, { ...unreadable, egress: [] })])).toEqual(KEPT);
    expect(agent([bad])).toEqual(CLOSED);
  });

  test.each<[string, object]>([
    ["a later version: a good one that nobody saw may be between", policy({ generation: 6 }, unreadable)],
    ["another object with the same name", policy({ generation: 4, uid: "u2" }, unreadable)],
    [
      "another spec of the same generation, after a restore of the cluster",
      policy({ generation: 4 }, { ingress: [{ x: 1 }] }),
    ],
    ["an object that does not say its generation", policy({ generation: undefined as unknown as number }, unreadable)],
  ])("does not come back for %s", (_, object) => {
    expect(agent([good], [bad])).toEqual(KEPT);
    expect(agent([object])).toEqual(CLOSED);
  });

  test("does not come back for the same name in another namespace, or of another kind", () => {
    agent([good], [bad]);
    expect(agent([policy({ generation: 4, namespace: "evil" }, unreadable)])).toEqual(CLOSED);
    agent([good], [bad]);
    const calico = { metadata: bad.metadata, spec: bad.spec };
    const store = new SnapshotStore(() => {}, new LastGoodFile({ runDirectory }, log).read());
    store.replace("calicoNetworkPolicies", [calico]);
    expect(store.list("calicoNetworkPolicies")[0]?.spec.ingress).toMatchObject([{ action: "Deny" }]);
  });

  test("is forgotten when the object can be read again, or is gone", () => {
    agent([good], [bad]);
    expect(agent([policy({ generation: 5 }, { ingress: [] })])).toEqual({ rules: ["p 0"], said: [] });
    expect(readFileSync(path, "utf8")).toBe("[]");
    expect(agent([bad])).toEqual(CLOSED);
  });

  test("is not of another object that had its name, in memory either", () => {
    expect(agent([good], [policy({ generation: 1, uid: "u2" }, unreadable)])).toEqual(CLOSED);
  });

  test("was good: what stands for an unreadable version follows the next one", () => {
    const other = policy({ generation: 5 }, { ...unreadable, podSelector: { matchLabels: { app: "db" } } });
    const store = new SnapshotStore(() => {});
    store.put("networkPolicies", bad);
    store.put("networkPolicies", other);
    expect(store.list("networkPolicies")[0]?.spec.podSelector?.matchLabels).toEqual({ app: "db" });
  });
});

describe("the file", () => {
  test("is the owner's only, and bounded for each namespace: one owner takes no other's room", () => {
    const large = (index: number, namespace: string) => {
      const ports = Array.from({ length: 2000 }, (_, port) => ({ port: port + 1 }));
      const of = { name: `p${index}`, namespace, uid: `${namespace}${index}` };
      return [
        policy({ ...of, generation: 1 }, { ingress: [{ ports }] }),
        policy({ ...of, generation: 2 }, unreadable),
      ] as const;
    };
    const all = [...Array.from({ length: 200 }, (_, index) => large(index, "evil")), large(0, "shop")];
    agent(
      all.map(([first]) => first),
      all.map(([, second]) => second),
    );
    const text = readFileSync(path, "utf8");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(text.length).toBeLessThan(300_000);
    expect(text).toContain('"namespace":"shop"');
    expect(text).not.toContain("managedFields");
  });

  test("that is missing or damaged says nothing", () => {
    expect(new LastGoodFile({ runDirectory }, log).read()).toEqual([]);
    for (const text of ["{", "[{}]", '"x"', "[1]"]) {
      writeFileSync(path, text);
      expect(agent([bad])).toEqual(CLOSED);
    }
    agent([good], [bad]);
    const kept = JSON.parse(readFileSync(path, "utf8"));
    for (const text of ["{", "{}", "null"]) {
      writeFileSync(path, JSON.stringify([{ ...kept[0], good: text }]));
      expect(agent([bad])).toEqual(CLOSED);
    }
  });

  test("that cannot be written is said once", () => {
    const file = new LastGoodFile({ runDirectory: join(runDirectory, "missing") }, log);
    file.save([]);
    file.save([]);
    expect(said).toEqual([
      expect.stringMatching(/^policies that cannot be read close when the agent starts again: cannot write .*ENOENT/),
    ]);
  });
});
