// Both benchmarks, as short as possible: checks that they run and that each path is the right one, never the figures.
import { spawnSync } from "node:child_process";
import { afterAll, describe, expect, it } from "vitest";
import { withBareLab } from "../lab/machines/bare.ts";
import { removeLab } from "../lab/machines/removal.ts";
import { silentProgress } from "../lab/progress.ts";
import { scaledModes } from "../model/mode/mode.ts";
import { Countdown } from "./countdown.ts";
import { measureScale } from "./services/measure.ts";
import { planScale } from "./services/plan.ts";
import { controlAddress, scaleMachines, serverAddress, startWebServer } from "./services/testbed.ts";
import { TestbedApiServer } from "./testbed/api-server.ts";
import { type BenchPod, receivedBytes } from "./testbed/bench-pod.ts";
import { agentKinds, ipPool } from "./testbed/kubernetes-objects.ts";
import { TestbedMachine } from "./testbed/testbed-machine.ts";
import { measureThroughput } from "./throughput/measure.ts";
import { withThroughputTestbed } from "./throughput/testbed.ts";

const lab = `tb${(process.pid % 46_656).toString(36)}`;
afterAll(() => removeLab(lab));

const quiet = new Countdown(1, 1, true);
const tools = spawnSync("sh", ["-c", "command -v qperf && command -v ethtool"]).status === 0;

describe("the throughput benchmark", () => {
  it("carries data on every path, and only ours has programs in the kernel", async (context) => {
    if (!tools) context.skip("qperf and ethtool come with `make bench-throughput`");
    await withThroughputTestbed(lab, false, silentProgress, async (testbed) => {
      const load = { cable: "Cut", encapsulation: "None", mtu: 1440, streams: 1, messageBytes: 4096 } as const;
      const [measured] = await measureThroughput({ series: [load], rounds: 1, seconds: 1 }, testbed, quiet);
      const samples = measured?.samples ?? []; // also what a busy computer disturbs
      expect(new Set(samples.map(({ path }) => path))).toEqual(new Set(["Linux", "Ebpf", "Floor"]));
      for (const { gbitPerSecond } of samples) expect(gbitPerSecond).toBeGreaterThan(0);
      for (const pair of [testbed.Linux, testbed.Ebpf])
        expect(await receivedBytes(pair.receiver)).toBeGreaterThan(1_000_000);

      // A program stays attached through a pin or a process; kube-proxy's machines have neither. (*.debug is the kernel's.)
      const find = ["find", "/sys/fs/bpf", "-mindepth", "1", "!", "-name", "*.debug"];
      const pins = ({ machine }: BenchPod) => machine.run(find);
      expect(await pins(testbed.Linux.sender)).toBe("");
      expect(await pins(testbed.Ebpf.sender)).toContain("connections");
      const filters = await testbed.Linux.sender.machine.run(["tc", "filter", "show", "dev", "eth0", "ingress"]);
      expect(filters).toBe("");
      // There, packets take the standard path.
      const rules = await testbed.Linux.sender.machine.run(["iptables", "--list-rules", "FORWARD"]);
      expect(rules).toContain("KUBE-FORWARD");
      const tracked = await testbed.Linux.sender.machine.run(["conntrack", "-L", "-p", "tcp"]);
      expect(tracked).toContain(testbed.Linux.receiver.address);
    });
  });
});

describe("the scale benchmark", () => {
  it("programs services in every mode and connects to them", async () => {
    await withBareLab(lab, scaleMachines, async () => {
      const server = new TestbedMachine(lab, { name: "server", address: serverAddress });
      await startWebServer(server);
      const api = await TestbedApiServer.start(new TestbedMachine(lab, { name: "control", address: controlAddress }));
      await api.createAll(agentKinds);
      await api.createWhenKnown(ipPool("CrossSubnet"));
      const short = planScale({ quick: true, counts: [10], rounds: 2 });
      const plan = {
        ...short,
        connections: 20,
        full: { ...short.full, changes: 3, churn: { perSecond: 20, seconds: 1, aloneSeconds: 1 } },
      };
      const { measured, full } = await measureScale(plan, { lab, api, server }, quiet);
      expect(measured.map(({ mode }) => mode)).toEqual([...scaledModes]);
      for (const { rounds, programmingSeconds } of measured) {
        expect(rounds.map(({ failed }) => failed)).toEqual([0, 0]);
        expect(programmingSeconds).toHaveLength(1);
      }
      expect(full.cpuSeconds.map(({ mode }) => mode)).toEqual([...scaledModes]);
      expect(full.changes.count).toBe(3);
      expect(full.churned).toBeGreaterThan(0);
      expect(full.memoryMiB).toBeGreaterThan(30);
    });
  });
});
