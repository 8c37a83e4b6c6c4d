// One dataplane with a number of policies, measured on main.ts' request, in its own network and mount namespace:
// `path SIDE COUNT OBJECTS PREAMBLE SEND`
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { attacher } from "../../../agent/kernel/attach.ts";
import { testRun } from "../../../agent/kernel/test-run.fixture.ts";
import { median } from "../../../measure/statistics/statistics.ts";
import { arrives, bytesOf } from "../cases/step.ts";
import { backendAddress, outside } from "../cluster.ts";
import { tcp } from "../frames.ts";
import { NodeUnderTest, podMacs } from "../node.ts";
import { type Batch, type Flow, SENT } from "./measured.ts";
import { asObjects, asTable, manyPolicies } from "./rules.ts";

const RUNS = 500;

const [side = "floor", count = "1", objects = "", preamble = "", send = ""] = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), "bench-policy-"));
const node = new NodeUnderTest({ objects, preamble, bpffs: "/sys/fs/bpf", scratch, sizes: {} });
const run = ([program = "", ...args]: readonly string[], input = "") => execFileSync(program, args, { input });
const ip = (line: string) => run(["ip", ...line.split(" ")]);
const db = backendAddress("db");
// The pod's namespace: the kernel passes packets straight into another one only.
const pod = spawn("unshare", ["--net", "sleep", "infinity"], { stdio: "ignore" });
const inPod = ["nsenter", `--net=/proc/${pod.pid}/ns/net`];
const ownNamespace = readlinkSync("/proc/self/ns/net");
while (readlinkSync(`/proc/${pod.pid}/ns/net`) === ownNamespace) await setTimeout(5);
ip(`link set db-peer netns ${pod.pid}`);
run([...inPod, "ip", "link", "set", "db-peer", "up"]);

const policies = manyPolicies(Number(count));
if (side === "ebpf") {
  node.write({ returnMode: "DSR", services: true }, asObjects(policies));
  const attached = attacher({ programFd: (name) => node.programFd(name as never) }, node.pins, false);
  const device = (name: string) => ({ name, ifindex: node.ifindex(name) });
  attached.device("from_uplink", device("uplink"));
  attached.device("to_workload", device("db"));
} else if (side === "nftables") {
  ip(`route add ${db} dev db`);
  ip(`neighbour replace ${db} lladdr ${podMacs("db").pod} dev db nud permanent`);
  const applied = new Map([["db", policies.map(({ name }) => name)]]);
  run(["nft", "-f", "-"], asTable(policies, applied));
} else drop("uplink", []);
drop("db-peer", inPod);

/** Whatever enters by the interface is gone, whoever's it is; TCP is counted. */
function drop(device: string, within: readonly string[]): void {
  const chain = `type filter hook ingress device "${device}" priority 0; policy drop;\nip protocol tcp counter name arrived`;
  run([...within, "nft", "-f", "-"], `table netdev ends {\ncounter arrived { }\nchain ingress {\n${chain}\n}\n}\n`);
}

const COUNTER = ["nft", "list", "counter", "netdev", "ends", "arrived"];
let port = 1024;
const arrived = () => Number(/packets (\d+)/.exec(String(run([...inPod, ...COUNTER])))?.[1]);

function frameOf(flow: Flow): Buffer {
  const source = flow === "allowed" ? outside.client1 : outside.client2;
  return Buffer.from(bytesOf(arrives({ source, destination: db }, tcp(port, 80, "S"), /(?:)/), node));
}

function measure(flow: Flow): Batch {
  node.forget();
  if (port + SENT + RUNS > 60_000) port = 1024;
  const frame = frameOf(flow);
  const before = arrived();
  const took = execFileSync(send, ["uplink-peer", frame.toString("hex"), String(port), String(SENT)], {
    encoding: "utf8",
  });
  port += SENT;
  const [onTheWire = 0, sent = 0] = took.split(" ").map(Number);
  const batch = { onTheWire, sent, arrived: arrived() - before };
  if (side !== "ebpf") return batch;
  const ifindex = node.ifindex("uplink");
  const program = node.programFd("from_uplink");
  const runs = Array.from({ length: RUNS }, () => {
    frame.writeUInt16BE(port++, 34);
    return testRun(program, frame, { ifindex }).nanoseconds;
  });
  return { ...batch, program: median(runs) };
}

process.on("message", (flow: Flow) => process.send?.(measure(flow)));
process.on("disconnect", () => process.exit());
process.on("exit", () => pod.kill());
process.send?.("ready");
