import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { z } from "zod";
import { RunnerFailure } from "../../failure.ts";
import type { Call } from "../../monitor.ts";
import type { Handler, Progress } from "../../operation.ts";
import { Cloud } from "./cloud.ts";

const LAB_PROGRAM = join(import.meta.dirname, "lab.js");

/** Types that change a lab, besides instances; other resources are only referred to. */
const MATTERS = /EipAssociation|IngressRule|RolePolicy|Instance$|:Route$/;

const typesAsked = z.tuple([z.object({ name: z.literal("instance-type"), values: z.array(z.string()) })]);
const imageFilters = z.array(z.object({ name: z.string(), values: z.array(z.string()) }));
/** By zone: instance types that it does not offer. */
const missingTypes = z.record(z.string(), z.array(z.string()));

/** Creates the resources of a stack on AWS on a lab of this computer, and answers for AWS. */
export class Rehearsal {
  readonly lab: string;
  readonly #region: string;
  readonly #cloud = new Cloud();
  /** Loopback address in place of the cluster's public one; each lab has its own. */
  readonly #publicAddress: string;
  #processor = process.arch === "arm64" ? "arm64" : "x86_64";
  #running: Promise<void> = Promise.resolve();
  #waiting: Promise<void> | undefined;

  /** An error with which AWS answers every request, to show how that looks; empty: none. */
  readonly #refusal: string;
  readonly #missing: Record<string, string[]>;

  /** @param config settings of the rehearsal itself: `rehearsal:refusal`, `rehearsal:missingTypes` */
  constructor(lab: string, region: string, config: Record<string, string>) {
    this.lab = lab;
    this.#region = region;
    this.#refusal = config["rehearsal:refusal"] ?? "";
    this.#missing = missingTypes.parse(JSON.parse(config["rehearsal:missingTypes"] ?? "{}"));
    const [second = 0, third = 0] = createHash("sha256").update(lab).digest();
    this.#publicAddress = `127.80.${second}.${third || 1}`;
  }

  handler: Handler = async (operation, progress) => {
    const outcome = this.#cloud.add(operation, { publicAddress: this.#publicAddress });
    if (MATTERS.test(operation.type)) await this.#carryOut(progress);
    return outcome;
  };

  /** Answers the provider functions that a cluster calls. */
  call: Call = async (token, inputs) => {
    if (this.#refusal) throw new RunnerFailure(this.#refusal);
    if (token === "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings") return this.#offerings(inputs);
    if (token === "aws:ec2/getAmi:getAmi") return this.#image(inputs);
    if (token === "aws:ssm/getParameter:getParameter") {
      const words = [LAB_PROGRAM, "parameter", this.lab, String(inputs.name)];
      const { stdout } = await promisify(execFile)(process.execPath, words, { timeout: 60_000 });
      return { name: inputs.name, value: stdout };
    }
    return undefined;
  };

  /** A lab has one image, reported with the architecture of the search. */
  #image(inputs: Record<string, unknown>) {
    const filters = imageFilters.parse(inputs.filters);
    this.#processor = filters.find(({ name }) => name === "architecture")?.values[0] ?? this.#processor;
    return { id: "ami-lab", name: "debian-13-lab", architecture: this.#processor };
  }

  /** A lab offers every type, except those configured as missing in a zone. */
  #offerings(inputs: Record<string, unknown>) {
    const [{ values }] = typesAsked.parse(inputs.filters);
    const zones = ["a", "b", "c"].map((letter) => `${this.#region}${letter}`);
    const found = values.flatMap((type) =>
      zones.filter((zone) => !this.#missing[zone]?.includes(type)).map((zone) => ({ type, zone })),
    );
    return { instanceTypes: found.map(({ type }) => type), locations: found.map(({ zone }) => zone) };
  }

  /** Runs once more after the current run, whose view may be stale; all callers in the meantime share that run. */
  #carryOut(progress: Progress): Promise<void> {
    this.#waiting ??= this.#running
      .catch(() => {})
      .then(() => {
        this.#waiting = undefined;
        this.#running = this.#runLab(progress);
        return this.#running;
      });
    return this.#waiting;
  }

  async #runLab(progress: Progress): Promise<void> {
    const child = spawn(process.execPath, [LAB_PROGRAM, "cloud"], { stdio: ["pipe", "ignore", "pipe"] });
    const said: string[] = [];
    createInterface(child.stderr).on("line", (line) => {
      said.push(line);
      if (/boot|lab:|next:/.test(line)) progress.line(line);
    });
    child.stdin.on("error", () => {});
    child.stdin.end(JSON.stringify(this.#cloud.spec(this.lab, this.#region, this.#publicAddress)));
    const code = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
    if (code !== 0) throw new RunnerFailure(`the lab failed:\n${said.slice(-10).join("\n")}`);
  }
}

/** Packets dropped by security groups and source/destination checks, as text. */
export async function dropsOf(lab: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [LAB_PROGRAM, "drops", lab], { timeout: 60_000 });
  return stdout.split("\n").filter(Boolean);
}

/** Removes a rehearsal completely. */
export async function removeRehearsal(lab: string): Promise<void> {
  await promisify(execFile)(process.execPath, [LAB_PROGRAM, "down", lab], { timeout: 300_000 });
}
