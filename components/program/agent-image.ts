import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { packageRoot } from "./installed-program.ts";

/** Version of this package, which is the tag of the agent's image that belongs to it. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as { version: string };
  return version;
}

/** The agent's image of this version of the package: in a registry, or by its bare name, as the nodes of a local cluster have it. */
export function agentImage(registry?: pulumi.Input<string>): pulumi.Input<string> {
  const image = `ebpf-dataplane:${packageVersion()}`;
  return registry === undefined ? image : pulumi.interpolate`${registry}/${image}`;
}
