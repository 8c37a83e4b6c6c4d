import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { noKernel } from "../kernel/bpffs.fixture.ts";
import { nodeReportSchema } from "./report.ts";

const program = join(import.meta.dirname, "..", "..", "dist", "agent.js");
const why = noKernel || (!existsSync(program) && "SKIP: dist/agent.js is not built (make build)");
if (why) console.log(why);

describe.skipIf(why)("features", () => {
  test("this kernel loads every program, nothing is left behind, and the report fits in a container's termination message", () => {
    const files = () => readdirSync(tmpdir()).filter((name) => name.startsWith("features-"));
    const before = files();
    // In separate namespaces. Mounts of network namespaces in /run/netns still disappear with another test's file.
    const look = "ip -brief link; grep -v ^nsfs /proc/self/mounts; echo ---";
    const run = `${process.execPath} ${program} features --node-root / --api-server 127.0.0.1:1; echo ---`;
    const script = `ip link set lo up; ${look}; ${run}; ${look}`;
    const isolated = ["--net", "--mount", "--propagation", "private", "sh", "-ec", script];
    const [earlier, text = "", later] = execFileSync("unshare", isolated, { encoding: "utf8" }).split("---\n");
    expect([later, files()]).toEqual([earlier, before]);
    const { obstacles, attach } = nodeReportSchema.parse(JSON.parse(text));
    const { apiServer, bpffs: _, ...kernel } = obstacles;
    expect(kernel).toEqual({ programs: "", attach: "", devices: "", cgroup: "", tunnelPort: "" });
    expect(apiServer).toContain("ECONNREFUSED");
    expect(["tcx", "clsact"]).toContain(attach);
    expect(text.length).toBeLessThan(4096);
  });
});
