// `make e2e`: runs specs of Kubernetes' own end-to-end suite on the running local cluster, and counts what passed.
// FOCUS and SKIP are regular expressions over the specs' names; PROCS is how many run at a time; LAB=name of the lab.
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { availableParallelism, release } from "node:os";
import { join } from "node:path";
import { run } from "../../tools/command.ts";
import { buildSuite, buildSuiteImage } from "../../tools/end-to-end.ts";
import { binaryLink } from "../../tools/go-binary.ts";
import { packageCommit } from "../../verify/this-package.ts";
import { leftOutOf } from "./left-out.ts";
import { inOtherNetwork } from "./other-network.ts";
import { holds, readOutcome } from "./outcome.ts";
import { runSuite } from "./suite.ts";
import { inWords, type Occasion, summaryOf } from "./summary.ts";

const root = join(import.meta.dirname, "..", "..");
const lab = process.env.LAB || process.env.EBPF_DATAPLANE_LAB || "local";
const out = process.env.OUT || join(root, "out", "end-to-end");
const program = [process.execPath, join(root, "dist", "lab.js")] as const;
const focus = process.env.FOCUS || "\\[sig-network\\]";
// They wait most of the time: for pods to start, for changes to arrive, for connections that must not open.
const processes = wholeNumber("PROCS", 2 * availableParallelism());
const quietMinutes = wholeNumber("QUIET_MINUTES", 20);

interface Machine {
  name: string;
  role: string;
  pid: number;
  address?: string;
  addressIpv6?: string;
}
interface Status {
  kubeconfig?: string;
  machines: Machine[];
}

const { kubeconfig, machines } = JSON.parse(await run(program[0], [program[1], "status", lab])) as Status;
if (kubeconfig === undefined) refuse(`Cannot run the suite: there is no lab ${lab}. Next: make up.`);
const ofRole = (wanted: string) => machines.filter(({ role }) => role === wanted);
const [controlPlanes, workers, [client]] = [ofRole("control-plane"), ofRole("worker"), ofRole("client")];
const [controlPlane] = controlPlanes;
if (!controlPlane || !client)
  refuse(`Cannot run the suite: the lab ${lab} has no client machine, outside its cluster.`);

tell("building the suite (a few minutes the first time) and its image");
const { suite, ginkgo } = await buildSuite();
const image = await buildSuiteImage();
const on = (machine: string, command: string[]) =>
  run(program[0], [program[1], "exec", lab, machine, "--", ...command]);
const nodes = [...controlPlanes, ...workers];
for (const { name } of nodes) await on(name, ["ctr", "--namespace", "k8s.io", "images", "import", image.file]);

mkdirSync(out, { recursive: true });
const at = (name: string) => join(out, name);
const kubectl = at("kubectl");
for (const [path, target] of [
  [kubectl, binaryLink("kube")],
  [at("e2e.test"), suite], // by this ending ginkgo knows a compiled suite
] as const) {
  rmSync(path, { force: true });
  symlinkSync(target, path);
}
const ask = (...words: string[]) => run(kubectl, ["--kubeconfig", kubeconfig, ...words]);

const pools = await ask("get", "ippools.projectcalico.org", "--output", "jsonpath={.items[*].spec.allowedUses[*]}");
const hasSctp = /^SCTP\b/im.test(readFileSync("/proc/net/protocols", "utf8"));
const leftOut = leftOutOf({ hasSctp, hasBalancerPool: pools.includes("LoadBalancer") });
const skip = process.env.SKIP ?? leftOut.map(({ pattern }) => pattern).join("|");
const { serverVersion } = JSON.parse(await ask("version", "--output", "json")) as {
  serverVersion: { gitVersion: string };
};

// The specs ask Services from outside of the cluster: from a client's network.
const { address, addressIpv6 } = controlPlane;
const answering = machines.filter(({ role }) => role !== "client").map(({ name }) => name);
const leaveOtherNetwork = client.address
  ? await inOtherNetwork(on, { name: client.name, address: client.address }, answering)
  : async () => {};
const server = `https://${address ?? `[${addressIpv6}]`}:6443`;
const progress = at("progress.jsonl");
writeFileSync(progress, "");
const begunAt = new Date().toISOString();

// Most specs want two nodes for their pods and for load balancers' addresses, and a control plane keeps both away.
const taint = "node-role.kubernetes.io/control-plane:NoSchedule";
const excluded = "node.kubernetes.io/exclude-from-external-load-balancers";
const onControlPlanes = async (change: "taint" | "label", to: string) => {
  await ask(change, "nodes", ...controlPlanes.map(({ name }) => name), "--overwrite", to);
};
await onControlPlanes("taint", `${taint}-`).catch(() => {}); // it has none, after a run that was killed
await onControlPlanes("label", `${excluded}-`);

let seen = 0;
const told = (text: string) => {
  const { specs, selected = 0 } = readOutcome(text, focus, leftOut);
  for (const { state, name, seconds, reason } of specs.slice(seen))
    tell(
      `${String(++seen).padStart(String(selected).length)} of ${selected}  ${state.padEnd(7)} ${inWords(seconds).padStart(6)}  ${name}${state === "failed" ? `: ${reason}` : ""}`,
    );
};
let endedEarly: string | undefined;
try {
  tell(`running it, ${processes} specs at a time; everything that they say: ${at("log.txt")}`);
  endedEarly = await runSuite({
    command: [
      ...["nsenter", `--net=/proc/${client.pid}/ns/net`, ginkgo, "run", `--procs=${processes}`, "--timeout=24h"],
      ...[`--focus=${focus}`, ...(skip ? [`--skip=${skip}`] : []), "--no-color", "--silence-skips", "-v"],
      ...[at("e2e.test"), "--", "-kubeconfig", kubeconfig, "-host", server, "-provider", "skeleton"],
      ...["-kubectl-path", kubectl, "-node-os-distro", "debian", "-progress-file", progress],
      // Only the first process counts them itself.
      ...["-num-nodes", String(nodes.length)],
    ],
    ...{ cwd: out, log: at("log.txt"), progress, quietMinutes, told },
  });
} finally {
  await onControlPlanes("taint", taint);
  await onControlPlanes("label", `${excluded}=`);
  await leaveOtherNetwork();
}

const outcome = readOutcome(readFileSync(progress, "utf8"), focus, leftOut);
const commit = packageCommit(root);
const occasion: Occasion = {
  ...{ begunAt, endedAt: new Date().toISOString(), kubernetes: serverVersion.gitVersion, kernel: release() },
  ...{ nodes: nodes.length, commit, processes },
  ...(endedEarly !== undefined && { endedEarly }),
};
const summary = summaryOf(outcome, occasion);
writeFileSync(at("result.json"), `${JSON.stringify({ ...occasion, focus, skip, ...outcome }, null, 2)}\n`);
writeFileSync(at("summary.txt"), summary);
process.stdout.write(summary);
process.exitCode = holds(outcome) ? 0 : 1;

function wholeNumber(name: string, usual: number): number {
  const text = process.env[name] || String(usual);
  if (!/^[1-9]\d{0,3}$/.test(text)) refuse(`${name} is "${text}" (allowed: a whole number from 1).`);
  return Number(text);
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}

function refuse(text: string): never {
  tell(text);
  process.exit(2);
}
