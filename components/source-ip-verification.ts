import { createHash } from "node:crypto";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { ReturnMode, ServiceHandling } from "./dataplane-args";
import { type Expectation, requireExpectation } from "./expectation";
import { requireAddress } from "./inputs/addresses";
import { requireMember, requireWhole } from "./inputs/choices";
import { requireLabel } from "./inputs/names";
import { argumentsOf, at, checked, type InputPlace, refuse } from "./inputs/refusal";
import { INTERPRETER, programCommand } from "./installed-program";
import type { MachineAddress } from "./machine";
import { componentType } from "./package-name";
import { sourceIpCheck } from "./source-ip-check";

/** Arguments of `SourceIpVerification`. */
export interface SourceIpVerificationArgs {
  /** Administrator's kubeconfig (YAML) of the cluster. */
  kubeconfig: pulumi.Input<string>;
  /** Name of the lab whose machines the clients are. Defaults to "local". */
  labName?: pulumi.Input<string>;
  /** Machines outside the cluster that use the service. */
  clients: pulumi.Input<MachineAddress[]>;
  /** Names of the clients that the network policies in force must keep out; the others must be served. Defaults to none. */
  droppedClients?: string[];
  /** IPv4 address of the node that the clients connect to. */
  entryAddress: pulumi.Input<string>;
  /** Node port of the service, from 30000 to 32767. */
  nodePort: number;
  /** Namespace of the service's pods. Defaults to "default". */
  namespace?: string;
  /** Labels that select the service's pods. */
  podLabels: Record<string, string>;
  /** How the replies must return, shown by evidence on the entry node. Defaults to `Dsr`. */
  returnMode?: ReturnMode;
  /**
   * Who handles services: with kube-proxy the pods must see the entry node's address, replies must pass that node, and where
   * clients are dropped all of them must be. Defaults to `Ebpf`.
   */
  serviceHandling?: ServiceHandling;
  /** What must hold besides, while the policies in force are the declared ones. Defaults to nothing. */
  expectations?: Expectation[];
  /** What else the result hangs on: a change repeats the verification. Never a time. Defaults to nothing. */
  triggers?: pulumi.Input<string>[];
  /** File for the result, relative to the program's folder. Defaults to "out/verification.json". */
  outputFile?: string;
}

/** One expectation of the truth table. */
export interface VerificationRow {
  /** Where the connection came from. */
  from: string;
  /** What it was for. */
  to: string;
  /** What must be shown, in words. */
  expected: string;
  /** What was seen, in words. */
  observed: string;
  /** Whether they agree. */
  pass: boolean;
  /** Name of the check, and the step where it has several. */
  step?: string;
  /** What is not as expected, then what the observation rests on. */
  evidence?: string[];
}

/** What a verification found. */
export interface VerificationResult {
  /** Number of rows that held. */
  passed: number;
  /** Number of rows that did not hold. */
  failed: number;
  /** The truth table. */
  rows: VerificationRow[];
}

/**
 * Proves on the running cluster that a service's pods see the clients' own addresses: real connections from the clients, the
 * source each pod recorded, the way of the replies, and what the network policies in force let through. A row that does not
 * hold fails the deployment, and the next one tries again.
 */
export class SourceIpVerification extends pulumi.ComponentResource {
  /** Number of rows that held. */
  readonly passed: pulumi.Output<number>;
  /** Number of rows that did not hold: 0, or the deployment has failed. */
  readonly failed: pulumi.Output<number>;
  /** The whole result, as in `outputFile`. */
  readonly result: pulumi.Output<VerificationResult>;

  constructor(name: string, args: SourceIpVerificationArgs, opts?: pulumi.ComponentResourceOptions) {
    const place = argumentsOf("SourceIpVerification", name);
    const { returnMode = ReturnMode.Dsr, outputFile = "out/verification.json" } = args;
    requireVerification(place, args, returnMode);
    const entryAddress = checked(args.entryAddress, (address) => requireAddress(at(place, "entryAddress"), address));
    super(componentType("SourceIpVerification"), name, args, opts);

    const check = pulumi.all([args.clients, entryAddress]).apply(([clients, address]) =>
      sourceIpCheck({
        name: `${name}: the pods of node port ${args.nodePort} see their clients`,
        entryAddress: address,
        nodePort: args.nodePort,
        namespace: args.namespace ?? "default",
        podLabels: args.podLabels,
        returnMode,
        serviceHandling: args.serviceHandling ?? ServiceHandling.Ebpf,
        clients: requireClients(place, clients, args.droppedClients ?? []),
        droppedClients: args.droppedClients ?? [],
        expectations: args.expectations ?? [],
      }),
    );
    const document = pulumi.jsonStringify(check);
    const run = new command.local.Command(
      `${name}-check`,
      {
        interpreter: INTERPRETER,
        create: verifyCommand(args.labName ?? "local", outputFile),
        stdin: document,
        environment: { KUBECONFIG_CONTENT: pulumi.secret(args.kubeconfig) },
        // The table is on stderr, for people; stdout is the result.
        logging: command.local.Logging.Stderr,
        addPreviousOutputInEnv: false,
        // A hash tells nothing; and the command provider (1.2.1) fails a preview at a trigger that is both secret and unknown.
        triggers: [
          pulumi.unsecret(pulumi.all([document, args.kubeconfig, ...(args.triggers ?? [])]).apply(contentHash)),
        ],
      },
      { parent: this, customTimeouts: { create: "10m", update: "10m" } },
    );
    this.result = run.stdout.apply((stdout) => JSON.parse(stdout) as VerificationResult);
    this.passed = this.result.apply((result) => result.passed);
    this.failed = this.result.apply((result) => result.failed);
    this.registerOutputs({ passed: this.passed, failed: this.failed, result: this.result });
  }
}

function verifyCommand(labName: pulumi.Input<string>, outputFile: string): pulumi.Output<string> {
  return pulumi
    .output(labName)
    .apply((lab) => programCommand("verify", "check", "--json", "--lab", lab, "--out", outputFile, "-"));
}

function contentHash(parts: string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

function requireVerification(place: InputPlace, args: SourceIpVerificationArgs, returnMode: ReturnMode): void {
  requireWhole(at(place, "nodePort"), args.nodePort, 30000, 32767);
  requireMember(at(place, "returnMode"), ReturnMode, returnMode);
  requireMember(at(place, "serviceHandling"), ServiceHandling, args.serviceHandling ?? ServiceHandling.Ebpf);
  requireLabel(at(place, "namespace"), args.namespace ?? "default");
  if (Object.keys(args.podLabels ?? {}).length === 0) {
    refuse(at(place, "podLabels"), args.podLabels, "labels that select the service's pods, like { app: 'nginx' }");
  }
  args.expectations?.forEach((expectation, index) => {
    requireExpectation(at(at(place, "expectations"), index), expectation);
  });
  const { outputFile } = args;
  if (outputFile !== undefined && !/^[\w./-]+$/.test(outputFile)) {
    refuse(at(place, "outputFile"), outputFile, 'a path of letters, digits, "_", "-", "." and "/"');
  }
}

/** Clients often come from another resource, so they can be checked only when that exists. */
function requireClients(place: InputPlace, clients: MachineAddress[], dropped: string[]): MachineAddress[] {
  if (clients.length === 0) refuse(at(place, "clients"), clients, "at least one machine outside the cluster");
  clients.forEach((client, index) => {
    requireAddress(at(at(at(place, "clients"), index), "address"), client.address);
  });
  const names = clients.map((client) => client.name);
  dropped.forEach((name, index) => {
    if (names.includes(name)) return;
    refuse(at(at(place, "droppedClients"), index), name, `the name of a client: ${names.join(", ")}`);
  });
  return clients;
}
