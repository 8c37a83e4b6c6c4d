import { describe, expect, it } from "vitest";
import { buildReport } from "./build.ts";
import { reportSchema } from "./document.ts";
import { fixtureComparison, fixtureScale, fixtureThroughput } from "./measured.fixture.ts";
import { fixtureVerification } from "./verification.fixture.ts";

const writtenAt = new Date("2026-11-21T15:00:00Z");
const verification = fixtureVerification();
const compare = fixtureComparison();

describe("a report", () => {
  it("has the published form, whatever is missing", () => {
    for (const inputs of [
      {},
      { verification },
      { compare },
      { verification, compare, throughput: fixtureThroughput(), scale: fixtureScale() },
    ])
      expect(() => reportSchema.parse(buildReport({ ...inputs, writtenAt }))).not.toThrow();
  });

  it("is the same for the same inputs, and leaves them as they are", () => {
    const before = structuredClone(compare);
    expect(buildReport({ verification, compare, writtenAt })).toEqual(
      buildReport({ verification, compare, writtenAt }),
    );
    expect(compare).toEqual(before);
  });

  it("first states whether everything holds", () => {
    expect(buildReport({ verification, writtenAt })).toMatchObject({ holds: true, verdict: verification.verdict });
    expect(buildReport({ verification: fixtureVerification(true), writtenAt }).holds).toBe(false);
    const wrong = { ...compare, expected: [{ what: "sources", expected: "a", observed: "b", pass: false }] };
    expect(buildReport({ verification, compare: wrong, writtenAt }).holds).toBe(false);
    expect(buildReport({ compare, writtenAt })).not.toHaveProperty("holds");
  });

  it("names what was not measured, with the command that measures it", () => {
    const { notMeasured } = buildReport({
      verification,
      unreadable: { scale: "out/scale.json cannot be used: cut short" },
      writtenAt,
    });
    expect(notMeasured.map(({ next }) => next)).toEqual([
      "make compare",
      "make bench-throughput",
      "make bench-services",
    ]);
    expect(notMeasured[2]?.why).toBe("out/scale.json cannot be used: cut short");
  });

  it("names commands that the npm package has, if it was made by it", () => {
    const { notMeasured, command } = buildReport({ isCheckout: false, writtenAt });
    expect([command, ...notMeasured.map(({ next }) => next)]).toEqual([
      "ebpf-dataplane report",
      "pulumi up, of a program with a SourceIpVerification",
      "ebpf-dataplane compare",
      "make bench-throughput, in a checkout of the project",
      "make bench-services, in a checkout of the project",
    ]);
  });

  it("names the cases of a suite that could not be tried, and why", () => {
    const skipped = [{ step: "cluster: node ports", what: "node ports from outside", why: "no machine is known" }];
    const { notMeasured } = buildReport({ verification: { ...verification, skipped }, writtenAt });
    expect(notMeasured).toContainEqual({
      what: "cluster: node ports: node ports from outside",
      why: "no machine is known",
    });
  });

  it("marks figures of another day", () => {
    const { environments } = buildReport({ verification, throughput: fixtureThroughput(), writtenAt });
    expect(environments.map(({ of, otherDay }) => [of, otherDay])).toEqual([
      ["verification", false],
      ["throughput", true],
    ]);
  });

  it("shows whom the server saw, and whether these are the clients", () => {
    const { logged } = buildReport({ verification, compare, writtenAt });
    const own = Object.fromEntries(logged.map(({ mode = "deployed", own: clients }) => [mode, clients]));
    expect(own).toEqual({
      deployed: true,
      KubeProxyIptables: false,
      KubeProxyNftables: false,
      EbpfTunnel: true,
      EbpfDsr: true,
      Direct: true,
    });
    expect(logged[0]?.lines[0]).toContain("172.31.1.55 - - ");
  });
});

describe("the path of request and reply", () => {
  it("is drawn from captures, with the place of each translation", () => {
    const ways = buildReport({ verification, compare, writtenAt }).ways;
    const rewrites = (mode: string) =>
      ways
        .find((path) => path.mode === mode)
        ?.rewrites.map(({ at, direction, field, after }) => `${at} ${direction} ${field} ${after}`);
    expect(rewrites("KubeProxyIptables")).toEqual([
      "master request source 172.31.1.8:21883",
      "master request destination 10.244.1.5:80",
      "master reply source 172.31.1.8:30604",
      "master reply destination 172.31.1.55:40001",
    ]);
    expect(rewrites("EbpfDsr")).toEqual([
      "node request destination 10.244.1.5:80",
      "node reply source 172.31.1.8:30604",
    ]);
    expect(ways.map(({ mode, reply, captured }) => [mode, reply, captured])).toEqual([
      ["KubeProxyIptables", "viaEntryNode", true],
      ["KubeProxyNftables", "viaEntryNode", false],
      ["EbpfTunnel", "viaEntryNode", true],
      ["EbpfDsr", "direct", true],
    ]);
  });

  it("is derived from log and sockets without captures, and leaves unknown parts open", () => {
    const [path] = buildReport({ verification, writtenAt }).ways;
    expect(path).toMatchObject({ client: "client1", reply: "direct", captured: false });
    expect(path?.stretches.map(({ from, to, source }) => [from, to, source])).toEqual([
      ["client1", "master", "172.31.1.55:40001"],
      ["master", "node", undefined],
      ["node", "default/nginx-7c5ddbdf54-x2mpq", "172.31.1.55"],
      ["default/nginx-7c5ddbdf54-x2mpq", "node", undefined],
      ["node", "client1", "172.31.1.8:30604"],
    ]);
    expect(path?.rewrites).toEqual([
      { direction: "request", field: "destination", before: "172.31.1.8:30604", after: "10.244.1.5" },
    ]);
  });

  it("blames the owner of the address that the server saw", () => {
    const bare = structuredClone(compare);
    delete bare.topology;
    const [path] = buildReport({ verification, compare: bare, writtenAt }).ways;
    expect(path?.rewrites).toContainEqual({
      direction: "request",
      field: "source",
      before: "172.31.1.55",
      after: "172.31.1.8",
      at: "master",
    });
  });
});
