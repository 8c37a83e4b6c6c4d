import { createHash, randomUUID } from "node:crypto";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { requireArguments } from "../arguments/arguments.ts";
import { ReturnMode, ServiceHandling } from "../dataplane/args.ts";
import { verificationSchema } from "../documents/verification.ts";
import { INTERPRETER, programCommand, programHash } from "../program/installed-program.ts";
import { componentType } from "../program/package-name.ts";
import { documentText } from "../refusal/document.ts";
import { argumentsOf, at, checked } from "../refusal/refusal.ts";
import { isIpv6 } from "../rules/addresses.ts";
import { requireKubeconfig, requirePrivateKey } from "../values/credentials.ts";
import { requireLabName } from "../values/names.ts";
import type { SourceIpVerificationArgs } from "./args.ts";
import { type KnownTarget, sourceIpCheck } from "./check.ts";
import { type CheckedVerification, ownMode, readCheckFiles, requireVerification } from "./inputs.ts";
import type { LatencyFigure, VerificationDocument, VerificationRow } from "./result.ts";

/**
 * Proves on the running cluster that a service's pods see the clients' own addresses: real connections from the clients, the
 * source each pod recorded, the way of the replies, and what the network policies in force let through. Measures and compares
 * where asked. What does not hold fails the deployment, and the next one tries again; what it found is in `outputFolder` then too.
 */
export class SourceIpVerification extends pulumi.ComponentResource {
  /** Everything in one sentence. */
  readonly verdict: pulumi.Output<string>;
  /** Number of rows that held. */
  readonly passed: pulumi.Output<number>;
  /** Number of rows that did not hold: 0, or the deployment has failed. */
  readonly failed: pulumi.Output<number>;
  /** What was expected and what was seen. */
  readonly truthTable: pulumi.Output<VerificationRow[]>;
  /** What was measured, by mode; empty without a measurement. */
  readonly figures: pulumi.Output<LatencyFigure[]>;
  /** Path of the result and its evidence, JSON; relative to the program's folder unless `outputFolder` is absolute. */
  readonly resultPath: pulumi.Output<string>;
  /** Path of the report for people, HTML; "" where none was written. */
  readonly reportPath: pulumi.Output<string>;

  constructor(name: string, args: SourceIpVerificationArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("SourceIpVerification", name);
    args = requireArguments(place, "SourceIpVerification", args);
    const values = requireVerification(place, args);
    const checkFiles = readCheckFiles(place, args.checkFiles ?? []);
    const labName = checked(args.labName ?? "local", (lab) => requireLabName(at(place, "labName"), lab));
    const kubeconfig = requireKubeconfig(at(place, "kubeconfig"), args.kubeconfig);
    const sshPrivateKey = requirePrivateKey(at(place, "sshPrivateKey"), args.sshPrivateKey);
    super(componentType("SourceIpVerification"), name, args, opts);

    const { outputFolder = "out" } = args;
    const document = pulumi.output(values).apply((known) =>
      documentText(place, verificationSchema, {
        ...documentOf(name, known, args),
        checkFiles,
        machines: machinesOf(known),
        ...(known.probeImage && { probeImage: known.probeImage }),
      }),
    );
    const run = new command.local.Command(
      `${name}-check`,
      {
        interpreter: INTERPRETER,
        create: verifyCommand(labName, outputFolder),
        stdin: document,
        environment: {
          KUBECONFIG_CONTENT: pulumi.secret(kubeconfig),
          ...(sshPrivateKey && { EBPF_DATAPLANE_SSH_KEY: pulumi.secret(sshPrivateKey) }),
        },
        // The table is on stderr, for people; stdout is the result.
        logging: command.local.Logging.Stderr,
        addPreviousOutputInEnv: false,
        // A hash tells nothing; and the command provider (1.2.1) fails a preview at a trigger that is both secret and unknown.
        triggers: [
          pulumi.unsecret(
            pulumi
              .all([document, kubeconfig, programHash("verify"), programHash("probe"), ...(args.triggers ?? [])])
              .apply(contentHash),
          ),
          ...(args.alwaysRun ? [randomUUID()] : []),
        ],
      },
      { parent: this, customTimeouts: { create: "60m", update: "60m" } },
    );
    const result = run.stdout.apply((stdout) => JSON.parse(stdout) as VerificationDocument);
    this.verdict = result.apply(({ verdict }) => verdict);
    this.passed = result.apply(({ passed }) => passed);
    this.failed = result.apply(({ failed }) => failed);
    this.truthTable = result.apply(({ rows }) => rows);
    this.figures = result.apply(({ figures = [] }) => figures);
    this.resultPath = result.apply(() => `${outputFolder}/verification.json`);
    this.reportPath = result.apply(({ reportPath = "" }) => reportPath);
    const { verdict, passed, failed, truthTable, figures, resultPath, reportPath } = this;
    this.registerOutputs({ verdict, passed, failed, truthTable, figures, resultPath, reportPath });
  }
}

type Known = pulumi.Unwrap<CheckedVerification>;

/** The document that `verify verify` reads. */
function documentOf(name: string, values: Known, args: SourceIpVerificationArgs) {
  const { returnMode = ReturnMode.Dsr, serviceHandling = ServiceHandling.Ebpf, thresholds = [] } = args;
  const { namespace, podLabels, clients, droppedClients, targets, expectations, listen } = values;
  const known = targets.map((target) => knownTarget(target, namespace));
  const title = `${name}: the pods of ${known.map(({ to }) => to.replace(/^tcp:../, "")).join(", ")} see their clients`;
  const check = sourceIpCheck({
    name: title,
    targets: known,
    namespace,
    podLabels,
    returnMode,
    serviceHandling,
    clients,
    droppedClients,
    expectations,
    listen,
  });
  const mode = ownMode(args);
  const limits = thresholds.map((threshold) => ({ mode, ...threshold }));
  return { name, checks: [check], ...measurementOf(values, known, args), thresholds: limits };
}

/** The clients that are entered by SSH, in the words of the document. */
function machinesOf({ clients, ssh }: Known) {
  return ssh.map(({ client, ...connection }) => {
    const { address = "" } = clients.find(({ name }) => name === client) ?? {};
    return { name: client, address, ssh: connection };
  });
}

/** What to measure, where anything asks for it: the deployment's own mode and those it is compared with. */
function measurementOf({ clients, droppedClients }: Known, targets: KnownTarget[], args: SourceIpVerificationArgs) {
  const { latency, comparisonModes = [], thresholds = [] } = args;
  if (!latency && comparisonModes.length === 0 && thresholds.length === 0) return {};
  const served = clients.find(({ name }) => !droppedClients.includes(name)) ?? clients[0];
  const { connections = 10_000, concurrency = 1, client = served?.name ?? "" } = latency ?? {};
  const modes = [...new Set([ownMode(args), ...comparisonModes])];
  const { to = "" } = targets.find(({ from }) => from === undefined) ?? {};
  return { measurement: { client, to, modes, connections, concurrency } };
}

function knownTarget(target: Known["targets"][number], namespace: string): KnownTarget {
  const { entryAddress, entryNode, nodePort, service, port, from } = target;
  if (service !== undefined) return { to: `tcp://service/${namespace}/${service}:${port}`, from };
  const host =
    entryAddress === undefined ? `node/${entryNode}` : isIpv6(entryAddress) ? `[${entryAddress}]` : entryAddress;
  return { to: `tcp://${host}:${nodePort}`, entryAddress };
}

function verifyCommand(labName: pulumi.Input<string>, outputFolder: string): pulumi.Output<string> {
  return pulumi
    .output(labName)
    .apply((lab) => programCommand("verify", "verify", "--json", "--lab", lab, "--out", outputFolder, "-"));
}

function contentHash(parts: string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
