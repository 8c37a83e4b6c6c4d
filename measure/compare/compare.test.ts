import { describe, expect, it } from "vitest";
import {
  type ComparedMode,
  type ComparedModeResult,
  type Comparison,
  compareSchema,
} from "../../report/results/compare.ts";
import { conclusionOf, expectedRows } from "./conclusion.ts";
import { defaults, requireOptions, WrongOptions } from "./options.ts";
import { progressLine } from "./progress.ts";
import type { CountedRound, TimedRound } from "./rounds.ts";
import { figuresOf, ofRequests, ratiosOf, requestFigures, undisturbed } from "./summary.ts";
import { renderComparison } from "./table.ts";

const clients = [
  { name: "client1", address: "172.31.1.55" },
  { name: "client2", address: "172.31.1.162" },
];
const expected = { clients, admitted: ["client1"], entryAddress: "172.31.1.8" };

function round(mode: ComparedMode, number: number, microseconds: number[], more: Partial<TimedRound> = {}): TimedRound {
  const processor = { busy: 0.001, softirq: 0.0002, steal: 0, total: 0.002 };
  return {
    mode,
    number,
    microseconds,
    processor,
    takenShare: 0,
    failedConnections: 0,
    processNs: { master: 40_000 },
    ...more,
  };
}

const program = { node: "master", attachment: "eth0-ingress", program: "from_uplink", nanoseconds: 3000, runs: 10 };
const counted: CountedRound[] = [
  { mode: "EbpfDsr", connections: 2, packets: { master: 24 }, programs: [program], bpfCounted: true },
];

function result(mode: ComparedMode, more: Partial<ComparedModeResult> = {}): ComparedModeResult {
  const proxied = mode.startsWith("KubeProxy");
  const rounds = [round(mode, 0, [100, 200, 300])];
  return {
    mode,
    served: { client1: !proxied, client2: false },
    servedWithoutPolicy: { client1: true, client2: true },
    loggedSources: proxied ? ["172.31.1.8"] : clients.map(({ address }) => address),
    ...(mode !== "Direct" && { replyPath: mode === "EbpfDsr" ? ("direct" as const) : ("viaEntryNode" as const) }),
    ...figuresOf(rounds, rounds, counted, 1),
    ...more,
  };
}

describe("the figures of a mode", () => {
  const rounds = [
    round("EbpfDsr", 0, [100, 200, 300, 400]),
    round("EbpfDsr", 1, [900], { takenShare: 0.5 }),
    round("EbpfDsr", 2, [300, 500], { processNs: { master: 20_000 } }),
  ];
  const { used, limit } = undisturbed(rounds);
  const figures = figuresOf(rounds, used, counted, 1);

  it("come from undisturbed rounds, and say how many were not", () => {
    expect(limit).toBe(0.1);
    expect(figures).toMatchObject({
      connections: 6,
      rounds: 2,
      disturbedRounds: 1,
      medianUs: 300,
      meanUs: 300,
      p10Us: 150,
    });
    expect(figures.medianSpreadUs).toEqual({ value: 325, low: 250, high: 400 });
  });

  it("have costs per connection, by machine and program", () =>
    expect(figures).toMatchObject({
      cpuSeconds: 0,
      processUsPerConnection: { master: 10 },
      packetsPerConnection: { master: 12 },
      bpfNsPerConnection: { master: 1500 },
      bpfProgramNsPerConnection: { "master/from_uplink": 1500 },
    }));

  it("say nothing of BPF where the kernel did not count, nor of instructions where the processor does not", () => {
    const none = figuresOf(
      rounds,
      used,
      counted.map((one) => ({ ...one, bpfCounted: false })),
      1,
    );
    expect(none.bpfNsPerConnection).toEqual({});
    expect(none).not.toHaveProperty("instructionsPerConnection");
  });

  it("are zeros without rounds", () =>
    expect(figuresOf([], [], [], 1)).toMatchObject({ connections: 0, medianUs: 0, histogramUs: [] }));
});

describe("requests on kept connections", () => {
  const kept = [0, 1, 2].flatMap((number) => [
    round("KubeProxyIptables", number, [50, 60, 70]),
    round("EbpfDsr", number, [30, 30, 90], { processNs: { master: 3000, client1: 6000 } }),
  ]);
  const own = kept.filter(({ mode }) => mode === "EbpfDsr");

  it("have figures of each request, of undisturbed rounds", () =>
    expect(requestFigures([...own, round("EbpfDsr", 3, [900], { takenShare: 0.5 })], own, 1)).toMatchObject({
      requests: 9,
      medianUs: 30,
      p99Us: 90,
      processUsPerRequest: { value: 3, low: 3, high: 3 },
      rounds: 3,
      disturbedRounds: 1,
    }));

  it("have ratios of their own", () =>
    expect(ratiosOf(kept, ["KubeProxyIptables", "EbpfDsr"], 1, ofRequests)).toMatchObject([
      { of: "EbpfDsr", to: "KubeProxyIptables", quantity: "requestUs", ratio: { value: 0.5 }, difference: "less" },
      { quantity: "processUsPerRequest", ratio: { value: 0.225 } },
    ]));
});

describe("ratios", () => {
  it("pair rounds of one number, and leave a pair out when one of it was disturbed", () => {
    const rounds = [0, 1, 2, 3].flatMap((number) => [
      round("KubeProxyIptables", number, [100 * (number + 1)]),
      round("EbpfDsr", number, [80 * (number + 1)]),
    ]);
    const used = rounds.filter(({ mode, number }) => mode === "EbpfDsr" || number !== 3);
    const [ratio] = ratiosOf(used, ["KubeProxyIptables", "EbpfDsr"], 1);
    expect(ratio).toEqual({
      of: "EbpfDsr",
      to: "KubeProxyIptables",
      quantity: "medianUs",
      ratio: { value: 0.8, low: 0.8, high: 0.8 },
      difference: "less",
    });
  });

  it("of a single pair claim nothing", () => {
    const used = [round("EbpfTunnel", 0, [100]), round("EbpfDsr", 0, [50])];
    expect(ratiosOf(used, ["EbpfTunnel", "EbpfDsr"], 1)[0]?.difference).toBe("no difference");
  });
});

describe("what a mode must show", () => {
  it.each(["KubeProxyIptables", "KubeProxyNftables", "EbpfTunnel", "EbpfDsr", "Direct"] as const)(
    "is what %s does",
    (mode) => expect(expectedRows(result(mode), expected).filter(({ pass }) => !pass)).toEqual([]),
  );

  it("is the same over IPv6 where clients connect over IPv6", () => {
    const both = {
      ...expected,
      clients: clients.map((client, index) => ({ ...client, addressIpv6: `fd00::${index}` })),
      entryIpv6: "fd00::8",
    };
    const overIpv6 = {
      served: { client1: true, client2: false },
      servedWithoutPolicy: { client1: true, client2: true },
      loggedSources: ["fd00::0", "fd00::1"],
      loggedLines: [],
      replyPath: "direct" as const,
    };
    const wrong = (more: Partial<ComparedModeResult>) =>
      expectedRows(result("EbpfDsr", more), both)
        .filter(({ pass }) => !pass)
        .map(({ what }) => what);
    expect(wrong({ overIpv6 })).toEqual([]);
    const hidden = { ...overIpv6, loggedSources: ["fd00::8"] };
    expect(wrong({ overIpv6: hidden })).toEqual(["eBPF, DSR, IPv6: logged by the server"]);
    expect(wrong({})).toHaveLength(4);
  });

  it.each<[string, ComparedMode, Partial<ComparedModeResult>, string]>([
    [
      "a client that the policy should keep out",
      "EbpfDsr",
      { served: { client1: true, client2: true } },
      "eBPF, DSR: served with the policy",
    ],
    [
      "a client that is not served",
      "EbpfDsr",
      { servedWithoutPolicy: { client1: true, client2: false } },
      "eBPF, DSR: served without it",
    ],
    [
      "a source that was rewritten",
      "EbpfTunnel",
      { loggedSources: ["172.31.1.8"] },
      "eBPF, tunnel: logged by the server",
    ],
    ["replies through the entry node", "EbpfDsr", { replyPath: "viaEntryNode" }, "eBPF, DSR: way of the reply"],
    ["nothing", "EbpfDsr", { replyPath: undefined }, "eBPF, DSR: way of the reply"],
    [
      "clients that kube-proxy did not hide",
      "KubeProxyIptables",
      { served: { client1: true, client2: false } },
      "kube-proxy (iptables): served with the policy",
    ],
  ])("is not %s", (_, mode, more, what) => {
    const rows = expectedRows(result(mode, more), expected);
    expect(rows.filter(({ pass }) => !pass).map((row) => row.what)).toEqual([what]);
    expect(conclusionOf([result(mode, more)], [], rows)).toContain(what);
  });
});

describe("the conclusion", () => {
  const ratio = {
    of: "EbpfDsr",
    to: "KubeProxyIptables",
    quantity: "medianUs",
    ratio: { value: 0.8, low: 0.7, high: 0.9 },
  };
  it("is one sentence with the interval", () =>
    expect(conclusionOf([result("KubeProxyIptables"), result("EbpfDsr")], [{ ...ratio, difference: "less" }], [])).toBe(
      "Kube-proxy hides the clients and the policy blocks all of them, eBPF shows and serves them; the median connection takes 0.80× (0.70-0.90) with eBPF, DSR against kube-proxy (iptables).",
    ));
  it("calls a difference within the spread none", () =>
    expect(conclusionOf([], [{ ...ratio, difference: "no difference" }], [])).toContain(
      "no difference in the median time of a connection of",
    ));
  it("says first what could not be measured", () =>
    expect(conclusionOf([result("EbpfDsr", { rounds: 0, problem: "nginx went away" })], [], [])).toBe(
      "Not measured: eBPF, DSR (nginx went away).",
    ));
});

describe("the result", () => {
  const modes = (["KubeProxyIptables", "EbpfTunnel", "EbpfDsr", "Direct"] as const).map((mode) => result(mode));
  const comparison: Comparison = {
    environment: {
      measuredAt: "2026-01-01T00:00:00.000Z",
      version: "0.1.0",
      kernel: "6.18",
      distribution: "Debian",
      processor: "x",
      cores: 2,
      virtualized: true,
      stealShare: 0.01,
      loadBefore: 0.5,
      command: "c",
    },
    client: "client1",
    target: "172.31.1.8:30604",
    connectionsPerRound: 3,
    concurrency: 1,
    modes: modes.map((mode) => (mode.mode === "Direct" ? { ...mode, problem: "no answer" } : mode)),
    ratios: ratiosOf(
      [0, 1].flatMap((number) => [round("EbpfTunnel", number, [100]), round("EbpfDsr", number, [80])]),
      ["EbpfTunnel", "EbpfDsr"],
      1,
    ),
    verdict: "All is well.",
    expected: modes.flatMap((mode) => expectedRows(mode, expected)),
  };

  it("has the published form", () => expect(compareSchema.parse(comparison)).toEqual(comparison));

  it("has a table of requests on kept connections, or says that the server ends each", () => {
    const asked = [round("EbpfDsr", 0, [31.4, 31.4])];
    const kept = { ...result("EbpfDsr"), keptRequests: requestFigures(asked, asked, 1) };
    expect(renderComparison({ ...comparison, modes: [kept] })).toContain("31.4 (31.4-31.4)");
    expect(renderComparison(comparison)).toContain("requests on kept ones were not measured");
  });

  it("is printed beside the first experiment's figures, with problems and the conclusion", () => {
    const text = renderComparison(comparison);
    for (const part of [
      "1876",
      "1814",
      "1595",
      "0.88×",
      "via the entry node",
      "no answer",
      "All is well.",
      "0.80× (0.80-0.80)",
    ])
      expect(text).toContain(part);
  });
});

describe("options", () => {
  it("are taken as they are when they make sense", () => expect(requireOptions(defaults)).toBe(defaults));
  it.each([
    [{ rounds: 0 }, "--rounds is 0"],
    [{ rounds: Number.NaN }, "--rounds is NaN"],
    [{ connections: 10, rounds: 20 }, "--connections is 10, but must be a whole number from 20"],
    [{ concurrency: 1000 }, "--concurrency is 1000"],
    [{ modes: ["Ebpf" as ComparedMode] }, '--modes has "Ebpf"'],
    [{ modes: [] }, "--modes is"],
    [{ service: "nginx" }, "--service is"],
  ])("are refused in one sentence: %j", (wrong, message) => {
    expect(() => requireOptions({ ...defaults, ...wrong })).toThrow(WrongOptions);
    expect(() => requireOptions({ ...defaults, ...wrong })).toThrow(message);
  });
});

describe("progress", () => {
  it("says what, how far, and how long still once it can tell", () => {
    expect(progressLine("eBPF, DSR", 0, 100, 1000)).toBe("1/100 eBPF, DSR: 1 s");
    expect(progressLine("eBPF, DSR", 50, 100, 60_000)).toBe("51/100 eBPF, DSR: 1 min 0 s, about 1 min 0 s to go");
  });
});
