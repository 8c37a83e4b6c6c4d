import { expect, test } from "vitest";
import type { ComparedModeResult, Comparison } from "../../report/results/compare.ts";
import { holds, resultSchema } from "../../report/results/verification.ts";
import { FakeWorld } from "../engine/world.fixture.ts";
import { readVerification } from "../format/document.ts";
import { assessLimits } from "./limits.ts";
import { carryOut } from "./run.ts";

const check = (name: string, verdict = "allowed") => ({
  name,
  steps: [{ expect: [{ from: "client1", to: "tcp://172.31.1.8:30604", verdict }] }],
});
const measurement = {
  client: "client1",
  to: "tcp://172.31.1.8:30604",
  modes: ["EbpfDsr", "KubeProxyIptables"],
  connections: 100,
  concurrency: 1,
};
const document = (rest: object = {}) => readVerification(JSON.stringify({ name: "v", checks: [check("v")], ...rest }));

function world(verdict: "allowed" | "dropped" = "allowed"): FakeWorld {
  const made = new FakeWorld();
  made.answer = () => ({ verdict });
  return made;
}

function mode(name: ComparedModeResult["mode"], median: number): ComparedModeResult {
  const estimate = { value: median, low: median * 0.9, high: median * 1.1 };
  const rest = { served: {}, servedWithoutPolicy: {}, loggedSources: [], softirqUsPerConnection: 0, cpuSeconds: 1 };
  const perNode = { processUsPerConnection: {}, bpfNsPerConnection: {}, packetsPerConnection: {} };
  const figures = { meanUs: median, medianUs: median, p10Us: median, p90Us: median, p99Us: 2 * median };
  const counts = { connections: 100, rounds: 10, disturbedRounds: 1, histogramUs: [] };
  return {
    mode: name,
    ...rest,
    ...perNode,
    ...figures,
    ...counts,
    medianSpreadUs: estimate,
    cpuUsPerConnection: estimate,
  };
}

const comparison: Comparison = {
  environment: {
    measuredAt: "2026-01-01T00:00:00Z",
    version: "0.1.0",
    kernel: "6.1.0",
    distribution: "Debian",
    processor: "x",
    cores: 2,
    virtualized: true,
    stealShare: 0,
    loadBefore: 0,
    command: "make compare",
  },
  client: "client1",
  target: "172.31.1.8:30604",
  connectionsPerRound: 10,
  concurrency: 1,
  modes: [mode("EbpfDsr", 80), mode("KubeProxyIptables", 100)],
  ratios: [],
  verdict: "",
  expected: [],
};

test("a verification is its checks, its figures and its limits, in the published form", async () => {
  const thresholds = [{ quantity: "medianUs", mode: "EbpfDsr", baseline: "KubeProxyIptables", atMost: 0.9 }];
  const { result, ending } = await carryOut(world(), document({ measurement, thresholds }), {
    measure: async () => comparison,
  });
  expect(resultSchema.parse(result)).toMatchObject({ passed: 1, failed: 0, problems: [] });
  expect(result.figures).toMatchObject([{ mode: "EbpfDsr", p99Us: 160 }, { mode: "KubeProxyIptables" }]);
  expect(result.thresholds).toMatchObject([{ observed: 0.8, pass: true }]);
  expect(holds(result)).toBe(true);
  expect(ending).toBe("complete");
});

test("a measurement that breaks off leaves the truth table, and says so", async () => {
  const thresholds = [{ quantity: "p99Us", mode: "EbpfDsr", atMost: 100 }];
  const gone = async () => Promise.reject(new Error("API server 172.31.1.8:6443 does not answer"));
  const { result } = await carryOut(world(), document({ measurement, thresholds }), { measure: gone });
  expect(result).toMatchObject({ passed: 1, failed: 0, thresholds: [{ pass: false }] });
  expect(result.thresholds?.[0]?.observed).toBeUndefined();
  expect(result.problems[0]).toMatchObject({
    what: "connections were not measured: API server 172.31.1.8:6443 does not answer",
    next: expect.stringContaining("kubectl get nodes"),
  });
  expect(holds(result)).toBe(false);
});

test("a mode that could not be measured whole is a problem", async () => {
  const modes = [{ ...mode("EbpfDsr", 80), problem: "client1 was refused 3 times" }];
  const { result } = await carryOut(world(), document({ measurement }), {
    measure: async () => ({ ...comparison, modes }),
  });
  expect(result.problems).toEqual([{ what: "EbpfDsr was not measured completely: client1 was refused 3 times" }]);
});

test("a mode that does not show what it must is a problem: its figures are another's", async () => {
  const row = { what: "eBPF, DSR: way of the reply", expected: "direct", observed: "viaEntryNode" };
  const expected = [
    { ...row, pass: false },
    { ...row, pass: true },
  ];
  const { result } = await carryOut(world(), document({ measurement }), {
    measure: async () => ({ ...comparison, expected }),
  });
  expect(result.problems).toEqual([{ what: "eBPF, DSR: way of the reply: expected direct, observed viaEntryNode" }]);
});

/** The first packet of a connection from client1 through master to nginx on node, as the three captures show it. */
function followable(): FakeWorld {
  const made = new FakeWorld();
  made.answer = () => ({ verdict: "allowed", localAddress: "172.31.1.55", localPort: 40001 });
  const client = { source: "172.31.1.55", sourcePort: 40001 };
  const opening = { opening: { number: 7, answer: false }, device: "eth0", text: "Flags [S], seq 7" };
  const entry = { destination: "172.31.1.8", destinationPort: 30604 };
  made.captured = [
    { ...opening, ...client, ...entry, direction: "out" },
    { ...opening, ...client, ...entry, direction: "in" },
  ];
  return made;
}

test("a connection that was served is followed, and its way is in the result", async () => {
  const { result } = await carryOut(followable(), document());
  const [path] = resultSchema.parse(result).topology?.paths ?? [];
  expect(path).toMatchObject({ mode: "EbpfDsr", client: "client1", target: "172.31.1.8:30604", served: true });
  expect(path?.legs[0]).toMatchObject({ from: "client1", to: "master", source: "172.31.1.55:40001" });
});

test("where the Service was the check's own, and is gone, nothing is followed and nothing is said of it", async () => {
  const gone = followable();
  gone.cluster = { ...gone.cluster, services: [] };
  const { result } = await carryOut(gone, document());
  expect(result.topology).toBeUndefined();
  expect(holds(result)).toBe(true);
  expect(gone.said.filter((line) => line.includes("follow"))).toEqual([]);
});

test("a connection that cannot be followed is said, and costs the result nothing", async () => {
  const blind = followable();
  const { prepare } = blind.machine("client1");
  blind.machine = () => ({ prepare, capture: () => Promise.reject(new Error("tcpdump does not start")) }) as never;
  const { result } = await carryOut(blind, document());
  expect(result.topology).toBeUndefined();
  expect(holds(result)).toBe(true);
  expect(blind.said).toContain("the connection was not followed: tcpdump does not start");
});

test("a check that never holds keeps the others from nothing", async () => {
  const checks = [check("one", "rejected"), check("two")];
  const { result } = await carryOut(world(), document({ checks }));
  expect(result.rows.map(({ pass }) => pass)).toEqual([false, true]);
  expect(result.verdict).toContain("1 of 2 rows does not hold");
});

test("a user's stop ends everything, and every row is there", async () => {
  const stopped = world();
  stopped.stopper.abort();
  const { result, ending } = await carryOut(stopped, document({ measurement }), {
    measure: () => Promise.reject(new Error("no")),
  });
  expect(ending).toBe("stopped");
  expect(result.rows[0]?.observed).toBe("not probed: stopped by the user");
  expect(result.problems).toHaveLength(1);
});

test("check files are read with their own names, all mistakes at once", () => {
  const checkFiles = [{ name: "a.check.yaml", text: "name: a\nsteps:\n  - expect: []\n" }];
  expect(document({ checkFiles }).checks.map(({ file }) => file)).toEqual(["v", "a.check.yaml"]);
  expect(() => document({ checkFiles: [{ name: "a.check.yaml", text: "name: a\n" }] })).toThrow(/^a.check.yaml.*steps/);
  expect(() => document({ chekcs: [] })).toThrow('unknown key "chekcs"; did you mean "checks"?');
  expect(() => readVerification("{")).toThrow("is not valid JSON");
});

test("a limit is exceeded when the lower end of the figure's interval is above it", () => {
  const limit = (rest: object) =>
    assessLimits([{ quantity: "medianUs", mode: "EbpfDsr", atMost: 75, ...rest }], comparison)[0];
  expect(limit({})).toEqual({ what: "medianUs of EbpfDsr", atMost: 75, observed: 80, pass: true });
  expect(limit({ atMost: 71 })?.pass).toBe(false);
  expect(limit({ quantity: "p99Us", atMost: 159 })?.pass).toBe(false);
  expect(limit({ mode: "EbpfTunnel" })).toMatchObject({ pass: false });
  const ratios = [{ of: "EbpfDsr", to: "KubeProxyIptables", quantity: "medianUs", difference: "less" as const }].map(
    (one) => ({ ...one, ratio: { value: 0.95, low: 0.91, high: 0.99 } }),
  );
  const [measured] = assessLimits(
    [{ quantity: "medianUs", mode: "EbpfDsr", baseline: "KubeProxyIptables", atMost: 0.9 }],
    { ...comparison, ratios },
  );
  expect(measured).toMatchObject({ observed: 0.95, pass: false });
});
