import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { noKernel } from "../kernel/bpffs.fixture.ts";
import { nodeReportSchema } from "./report.ts";

const program = join(import.meta.dirname, "..", "..", "dist", "agent.js");
const why = noKernel || (!existsSync(program) && "SKIP: dist/agent.js is not built (make build)");
if (why) console.log(why);

describe.skipIf(why)("features", () => {
  test("this kernel loads every program, nothing is left behind, and the report fits in a container's termination message", () => {
    const scratch = mkdtempSync(join(tmpdir(), "features-test-"));
    onTestFinished(() => rmSync(scratch, { recursive: true }));
    // In separate namespaces, where nobody else adds anything. Other tests' mounts disappear with the folder or file they are on.
    const look = "ip -brief link; cat /proc/self/mounts; echo ---";
    const run = `${process.execPath} ${program} features --node-root / --api-server 127.0.0.1:1; echo ---`;
    const script = `ip link set lo up; ${look}; ${run}; ${look}`;
    const isolated = ["--net", "--mount", "--propagation", "private", "sh", "-ec", script];
    const [earlier, text = "", later] = execFileSync("unshare", isolated, {
      encoding: "utf8",
      env: { ...process.env, TMPDIR: scratch },
    }).split("---\n");
    const known = new Set(earlier?.split("\n"));
    expect(later?.split("\n").filter((line) => !known.has(line))).toEqual([]);
    expect(readdirSync(scratch)).toEqual([]);
    const { obstacles, attach, wireguard } = nodeReportSchema.parse(JSON.parse(text));
    const { apiServer, bpffs: _, ...kernel } = obstacles;
    expect(kernel).toEqual({ programs: "", attach: "", devices: "", cgroup: "", tunnelPort: "" });
    expect(wireguard === "" || wireguard?.includes("type wireguard")).toBe(true);
    expect(apiServer).toContain("ECONNREFUSED");
    expect(["tcx", "clsact"]).toContain(attach);
    expect(text.length).toBeLessThan(4096);
  });
});
