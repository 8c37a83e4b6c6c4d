// Checks the rules of this project's structure: `node tools/checks/main.ts`.
import { join } from "node:path";
import {
  checkAnywhere,
  checkCircles,
  checkKernelBoundary,
  checkKubernetesClient,
  checkParts,
  checkPurity,
} from "./imports.ts";
import { checkNames } from "./names.ts";
import { checkPacketPath } from "./packet-path.ts";
import { checkSizes } from "./sizes.ts";
import { projectSources } from "./source.ts";
import { checkTests } from "./tests.ts";
import { checkTraces } from "./traces.ts";

const CHECKS = [
  checkParts,
  checkKernelBoundary,
  checkAnywhere,
  checkKubernetesClient,
  checkPurity,
  checkCircles,
  checkSizes,
  checkTraces,
  checkNames,
  checkTests,
  checkPacketPath,
];

const sources = projectSources(join(import.meta.dirname, "..", ".."));
const findings = CHECKS.flatMap((check) => check(sources));
for (const { path, message } of findings) process.stderr.write(`${path}: ${message}\n`);
process.exitCode = findings.length > 0 ? 1 : 0;
