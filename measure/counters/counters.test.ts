import { describe, expect, it } from "vitest";
import { parseBpfRunTime, runTimeBetween } from "./bpf-run-time.ts";
import { parsePackets, processorTimeFile } from "./machine-counters.ts";
import { parseProcessorTime, processorTimeBetween, stealShare } from "./processor-time.ts";

describe("the computer's processor time", () => {
  const before = parseProcessorTime("cpu  100 0 200 1000 50 0 30 20 0 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n");

  it("is what /proc/stat says, in seconds, busy without idle and steal", () =>
    expect(before).toEqual({ busy: 3.3, softirq: 0.3, steal: 0.2, total: expect.closeTo(14) }));

  it("tells the share that was stolen in between", () => {
    const after = parseProcessorTime("cpu  150 0 230 1090 50 0 40 40 0 0");
    expect(stealShare(processorTimeBetween(before, after))).toBeCloseTo(0.1);
    expect(stealShare(processorTimeBetween(before, before))).toBe(0);
  });

  it.each(["", "cpu0 1 2 3 4 5 6 7 8", "cpu  1 2 3"])("is not read from %j", (text) =>
    expect(() => parseProcessorTime(text)).toThrow("/proc/stat"),
  );
});

describe("a machine's counters", () => {
  const mountsV1 =
    "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0";
  it.each([
    [
      "v1",
      "4:cpu,cpuacct:/lab-master\n0::/lab-master/init",
      mountsV1,
      "/sys/fs/cgroup/cpu,cpuacct/lab-master/cpuacct.usage",
      1,
    ],
    ["v2", "0::/lab-master/init", "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0", "/sys/fs/cgroup/lab-master/cpu.stat", 2],
  ] as const)("are summed up by cgroup %s", (_, cgroups, mounts, path, version) =>
    expect(processorTimeFile(cgroups, mounts)).toEqual({ path, version }),
  );

  it("need a hierarchy that counts", () =>
    expect(() => processorTimeFile("1:name=systemd:/", "tmpfs / tmpfs rw 0 0")).toThrow("no cgroup hierarchy"));

  it("hold packets in and out of one device", () => {
    const dev =
      "Inter-|\n face |bytes\n    lo: 9 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0\n  eth0: 500 7 0 0 0 0 0 0 600 8 0 0 0 0 0 0\n";
    expect(parsePackets(dev, "eth0")).toBe(15);
    expect(() => parsePackets(dev, "eth1")).toThrow("eth1");
  });
});

describe("the run time of a node's programs", () => {
  const programs = (ns: number, runs: number) =>
    JSON.stringify([
      { id: 7, name: "from_uplink", run_time_ns: ns, run_cnt: runs },
      { id: 8, name: "another_node_s", run_time_ns: 1e9, run_cnt: 5 },
    ]);
  const listing = (ns: number, runs: number) =>
    `eth0-ingress {"id":1,"type":11,"prog_id":7}\neth1-ingress {"id":2,"type":11,"prog_id":7}\ngone \n\n${programs(ns, runs)}`;

  it("is that of the programs pinned there, each once", () =>
    expect(parseBpfRunTime("master", listing(900, 3))).toEqual([
      { node: "master", attachment: "eth0-ingress", program: "from_uplink", nanoseconds: 900, runs: 3 },
    ]));

  it("is nothing where nothing is pinned", () => expect(parseBpfRunTime("master", "")).toEqual([]));

  it("between two readings is their difference; a new program counts from its start", () => {
    const read = (ns: number, runs: number) => parseBpfRunTime("master", listing(ns, runs));
    expect(runTimeBetween(read(900, 3), read(1500, 5))).toMatchObject([{ nanoseconds: 600, runs: 2 }]);
    expect(runTimeBetween(read(900, 3), read(200, 1))).toMatchObject([{ nanoseconds: 200, runs: 1 }]);
    expect(runTimeBetween([], read(200, 1))).toMatchObject([{ nanoseconds: 200, runs: 1 }]);
  });
});
