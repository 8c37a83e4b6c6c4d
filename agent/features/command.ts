import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import { programFolder } from "../options.ts";
import type { FeatureOptions } from "./look.ts";

/** Adds `features`: whether a node meets the dataplane's requirements, before the dataplane is installed. */
export function registerFeatures(program: Command): void {
  program
    .command("features")
    .description("check whether this node can run the dataplane, and print one line of JSON; changes nothing")
    .option("--node-address <address>", "this node's address", process.env.NODE_ADDRESS)
    .option("--api-server <host:port>", "also try to reach this API server")
    .option("--node-root <folder>", "folder in which the node's /sys and /etc are mounted", "/host")
    .option("--report <file>", "also write the result to this file")
    .option("--kernel-only", "test only the kernel, in this network namespace; leaves interfaces in it")
    .action(async ({ report, kernelOnly, ...options }: FeatureOptions & { report?: string; kernelOnly?: boolean }) => {
      const [{ lookAtNode }, { tryKernel }] = await Promise.all([import("./look.ts"), import("./kernel-trial.ts")]);
      const found = JSON.stringify(kernelOnly ? tryKernel(programFolder()) : await lookAtNode(options));
      if (report) writeFileSync(report, found);
      process.stdout.write(`${found}\n`);
    });
}
