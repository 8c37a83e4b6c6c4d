import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster } from "./cluster/bare-cluster.ts";

describe("files that an agent leaves on its node", () => {
  let cluster: BareCluster;
  beforeAll(async () => {
    cluster = await BareCluster.start();
    await cluster.addPod("web", "node", { app: "web" });
  });
  afterAll(() => cluster?.close());

  /** Files below a folder that other users than the owner may read, write or enter; links have no permissions. */
  const open = (folder: string) =>
    cluster.run("node", ["find", folder, "!", "-type", "l", "-perm", "/077", "-printf", "%M %p\n"]);
  const all = async (folder: string) => (await cluster.run("node", ["find", folder, "-type", "f"])).trim().split("\n");

  test("only root can read names of pods and policies, sockets and pins", async () => {
    expect((await all("/run/ebpf-dataplane")).length).toBeGreaterThanOrEqual(4);
    expect((await all("/sys/fs/bpf/ebpf-dataplane")).length).toBeGreaterThanOrEqual(10);
    expect(await open("/run/ebpf-dataplane")).toBe("");
    expect(await open("/sys/fs/bpf/ebpf-dataplane")).toBe("");
  });

  test("the next agent closes folders that kubelet or an earlier version left open", async () => {
    const folders = ["/run/ebpf-dataplane", "/sys/fs/bpf/ebpf-dataplane"];
    await cluster.killAgent("node");
    await cluster.run("node", ["chmod", "755", ...folders]);
    await cluster.startAgent("node");
    expect(await cluster.run("node", ["stat", "--format=%a", ...folders])).toBe("700\n700\n");
  });
});
