// `make e2e`: runs specs of Kubernetes' own end-to-end suite on the running local cluster, and counts what passed.
// FOCUS and SKIP are regular expressions over the specs' names; LAB=name of the lab.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../tools/command.ts";
import { buildSuite, buildSuiteImage } from "../../tools/end-to-end.ts";
import { binaryLink } from "../../tools/go-binary.ts";
import { summaryOf } from "./summary.ts";

const root = join(import.meta.dirname, "..", "..");
const lab = process.env.LAB || process.env.EBPF_DATAPLANE_LAB || "local";
const out = process.env.OUT || join(root, "out", "end-to-end");
const program = [process.execPath, join(root, "dist", "lab.js")] as const;

/** What a lab has not: README.md. */
const SKIPPED = [
  "LoadBalancers",
  "\\[Serial\\]",
  "\\[Disruptive\\]",
  "Alpha",
  "SCTP",
  "Internet connection",
  "IPerf2",
  "KubeProxy",
  "kube-proxy urls",
  "configurable pod resolv.conf",
  "invalid conntrack state bug",
];
const focus = process.env.FOCUS || "\\[sig-network\\]";
const skip = process.env.SKIP || SKIPPED.join("|");

interface Status {
  kubeconfig?: string;
  machines: { name: string; role: string }[];
}

const status = JSON.parse(await run(program[0], [program[1], "status", lab])) as Status;
const { kubeconfig } = status;
if (kubeconfig === undefined) {
  process.stderr.write(`Cannot run the suite: there is no lab ${lab}. Next: make up.\n`);
  process.exit(2);
}
process.stderr.write("building the suite (a quarter of an hour the first time) and its image\n");
const [suite, image] = [await buildSuite(), await buildSuiteImage()];
for (const { name } of status.machines.filter(({ role }) => role === "control-plane" || role === "worker"))
  await run(program[0], [
    ...[program[1], "exec", lab, name, "--"],
    ...["ctr", "--namespace", "k8s.io", "images", "import", image.file],
  ]);

mkdirSync(out, { recursive: true });
const kubectl = join(out, "kubectl");
spawnSync("ln", ["-sfn", binaryLink("kube"), kubectl]);
const report = join(out, "report.json");
// Most specs want two nodes for their pods, and a control plane keeps pods away.
const taint = "node-role.kubernetes.io/control-plane:NoSchedule";
const controlPlanes = status.machines.filter(({ role }) => role === "control-plane").map(({ name }) => name);
const onControlPlanes = (change: string) =>
  run(kubectl, ["--kubeconfig", kubeconfig, "taint", "nodes", ...controlPlanes, "--overwrite", change]);
await onControlPlanes(`${taint}-`).catch(() => {}); // it has none, after a run that was killed
const { status: code } = spawnSync(
  suite,
  [
    ...["-kubeconfig", kubeconfig, "-provider", "skeleton", "-kubectl-path", kubectl, "-node-os-distro", "debian"],
    ...["-ginkgo.focus", focus, "-ginkgo.skip", skip, "-ginkgo.no-color", "-ginkgo.timeout", "6h"],
    ...["-ginkgo.json-report", report, "-ginkgo.silence-skips"],
  ],
  { stdio: "inherit", cwd: out },
);
await onControlPlanes(taint);
if (code === null) process.exit(1); // killed: there is no report
const summary = summaryOf(report);
writeFileSync(join(out, "summary.txt"), summary.text);
process.stdout.write(summary.text);
process.exitCode = code;
