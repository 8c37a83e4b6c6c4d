import { parseHTML } from "linkedom";
import { expect, test } from "vitest";
import type { Row } from "../../report/results/verification.ts";
import { fixtureOccasion } from "../engine/world.fixture.ts";
import { junitOf } from "./junit.ts";
import { summarise } from "./summary.ts";

const row = (rest: Partial<Row>): Row => ({
  from: "client1",
  to: "tcp://a:1",
  expected: "allowed",
  observed: "allowed",
  pass: true,
  step: "cluster: DNS",
  seconds: 1.25,
  ...rest,
});
const hostile = `"><failure/>&amp;'\u0000\ud800\n]]>`;

const xml = junitOf(
  summarise({
    verified: { ...fixtureOccasion, cluster: { ...fixtureOccasion.cluster, engine: "Flannel, kube-proxy" } },
    rows: [
      row({}),
      row({}),
      row({
        pass: false,
        observed: hostile,
        reasons: ["otherVerdict"],
        evidence: [hostile],
        next: ["kubectl get pods"],
      }),
      row({ pass: false, undecided: "no CPU", step: "cluster: pods" }),
    ],
    skipped: [{ step: "cluster: pods", what: "pods of another node", why: "one node" }],
    problems: [{ what: "an object is left", next: "run it again" }],
    thresholds: [{ what: "p99Us", atMost: 3, observed: 4, pass: false }],
  }),
);
const { document } = parseHTML(xml);
const attributes = (selector: string, ...names: string[]) =>
  [...document.querySelectorAll(selector)].map((one) => names.map((name) => one.getAttribute(name)));

test("a suite for each step, with counts", () => {
  expect(
    attributes("testsuite", "name", "id", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname"),
  ).toEqual([
    ["cluster: DNS", "0", "3", "1", "0", "0", "1.250", "2026-11-21T14:05:00", "172.31.1.8:6443"],
    ["cluster: pods", "1", "2", "0", "1", "1", "1.250", "2026-11-21T14:05:00", "172.31.1.8:6443"],
    ["limits", "2", "1", "1", "0", "0", "0.000", "2026-11-21T14:05:00", "172.31.1.8:6443"],
    ["what is not known", "3", "1", "0", "1", "0", "0.000", "2026-11-21T14:05:00", "172.31.1.8:6443"],
  ]);
});

test("each case has a name of its own, its step as class, and a time", () => {
  const cases = attributes("testcase", "name", "classname", "time");
  expect(cases.slice(0, 2)).toEqual([
    ["client1 → tcp://a:1: allowed", "cluster: DNS", "1.250"],
    ["client1 → tcp://a:1: allowed (2)", "cluster: DNS", "1.250"],
  ]);
  expect(new Set(cases.map(String)).size).toBe(cases.length);
});

test("what is not as expected, open and skipped says why", () => {
  expect(attributes("error", "type", "message")).toEqual([
    ["undecided", "no CPU"],
    ["problem", "an object is left"],
  ]);
  expect(attributes("skipped", "message")).toEqual([["one node"]]);
  expect(document.querySelector("failure")?.textContent).toContain("look at: kubectl get pods");
});

test("when, where, with which engine and versions are properties of every suite", () => {
  const properties = Object.fromEntries(attributes("testsuite:first-of-type property", "name", "value"));
  expect(properties).toEqual({
    begunAt: fixtureOccasion.begunAt,
    endedAt: fixtureOccasion.endedAt,
    server: "https://172.31.1.8:6443",
    clusterId: fixtureOccasion.cluster.id,
    kubernetes: "v1.35.0",
    engine: "Flannel, kube-proxy",
    version: "0.1.0",
    commit: "2ea30cf94139",
  });
});

test("no observation can break out of its place, and only what XML can write is there", () => {
  expect(document.querySelectorAll("failure")).toHaveLength(2);
  expect(document.querySelector("failure")?.getAttribute("message")).toBe(
    `expected allowed; observed ${hostile.replace("\u0000", "\ufffd").replace("\ud800", "\ufffd")}`,
  );
  expect(xml).not.toMatch(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u);
});
