import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import { programFolder } from "../options.ts";
import type { FeatureOptions } from "./look.ts";

/** Adds `features`: what a node has of what the dataplane needs, before there is a dataplane. */
export function registerFeatures(program: Command): void {
  program
    .command("features")
    .description("say whether this node can run the dataplane, as one line of JSON; changes nothing")
    .option("--node-address <address>", "this node's address", process.env.NODE_ADDRESS)
    .option("--api-server <host:port>", "try to reach this API server")
    .option("--node-root <folder>", "where the node's /sys and /etc are seen", "/host")
    .option("--report <file>", "write it there too")
    .option("--kernel-only", "try only the kernel, in this network namespace: leaves interfaces in it")
    .action(async ({ report, kernelOnly, ...options }: FeatureOptions & { report?: string; kernelOnly?: boolean }) => {
      const [{ lookAtNode }, { tryKernel }] = await Promise.all([import("./look.ts"), import("./kernel-trial.ts")]);
      const found = JSON.stringify(kernelOnly ? tryKernel(programFolder()) : await lookAtNode(options));
      if (report) writeFileSync(report, found);
      process.stdout.write(`${found}\n`);
    });
}
