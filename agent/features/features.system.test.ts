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
    const links = () => execFileSync("ip", ["-brief", "link"], { encoding: "utf8" });
    const mounts = () => execFileSync("cat", ["/proc/self/mounts"], { encoding: "utf8" });
    const files = () => readdirSync(tmpdir()).filter((name) => name.startsWith("features-"));
    const before = [links(), mounts(), files()];
    const words = ["features", "--node-root", "/", "--api-server", "127.0.0.1:1"];
    const text = execFileSync(process.execPath, [program, ...words], {
      encoding: "utf8",
    });
    expect([links(), mounts(), files()]).toEqual(before);
    const { obstacles, attach } = nodeReportSchema.parse(JSON.parse(text));
    const { apiServer, bpffs: _, ...kernel } = obstacles;
    expect(kernel).toEqual({ programs: "", attach: "", devices: "", cgroup: "", tunnelPort: "" });
    expect(apiServer).toContain("ECONNREFUSED");
    expect(["tcx", "clsact"]).toContain(attach);
    expect(text.length).toBeLessThan(4096);
  });
});
