import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { labFolder } from "../names.ts";
import type { CloudSpec } from "./spec.ts";

/** Files of a lab's cloud, all below the lab's folder. */
export const parametersFile = (lab: string): string => join(labFolder(lab), "parameters.json");
export const authorityFiles = (lab: string) => ({
  key: join(labFolder(lab), "cloud-key.pem"),
  certificate: join(labFolder(lab), "cloud-certificate.pem"),
});
const cloudFile = (lab: string): string => join(labFolder(lab), "cloud.json");

/** The part of AWS in a lab. */
export function readCloud(lab: string): CloudSpec {
  if (!existsSync(cloudFile(lab))) return { name: lab, region: "", instances: [], parameters: [], routes: [] };
  return { routes: [], ...JSON.parse(readFileSync(cloudFile(lab), "utf8")) } as CloudSpec;
}

/** Replaces it atomically, because another process may be reading. */
export function writeCloud(spec: CloudSpec): void {
  const draft = `${cloudFile(spec.name)}.new`;
  writeFileSync(draft, JSON.stringify(spec), { mode: 0o600 });
  renameSync(draft, cloudFile(spec.name));
}
