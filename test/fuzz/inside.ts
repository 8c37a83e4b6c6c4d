// Runs a campaign in the network and mount namespace it is started in, with a bpffs at /sys/fs/bpf: started by main.ts, and in
// a guest of another kernel. `inside OBJECTS PREAMBLE SEED PACKETS [json]`: how it says how far it is
import { mkdtempSync, rmSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { NodeUnderTest } from "../packets/node.ts";
import { campaign } from "./campaign.ts";
import { progressLine } from "./progress.ts";
import { isGood, reportText } from "./report.ts";

const [objects = "", preamble = "", seed = "1", packets = "1000", progress = "words"] = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), "fuzz-"));
const node = new NodeUnderTest({ objects, preamble, bpffs: "/sys/fs/bpf", scratch });
const begun = performance.now();
const report = campaign(node, Number(seed), Number(packets), (text) =>
  process.stderr.write(`${progress === "json" ? progressLine(text) : text}\n`),
);
rmSync(scratch, { recursive: true });
const seconds = Math.round((performance.now() - begun) / 1000);
process.stdout.write(`${reportText(report, release())}\n${seconds} s\n`);
process.exitCode = isGood(report) ? 0 : 1;
