import { createRequire } from "node:module";
import * as pulumi from "@pulumi/pulumi";
import { packageRoot } from "../program/installed-program.ts";
import type { AwsSdk } from "./sdk-types.ts";

/** The SDK of AWS, which is loaded when a component needs it. The package is optional: programs without AWS install neither the SDK nor
 * its plugin, which the Pulumi CLI downloads for every SDK that is installed. */
export function awsSdk(): AwsSdk {
  const load = createRequire(__filename);
  try {
    return {
      ec2: load("@pulumi/aws/ec2"),
      eks: load("@pulumi/aws/eks"),
      iam: load("@pulumi/aws/iam"),
      ssm: load("@pulumi/aws/ssm"),
      vpc: load("@pulumi/aws/vpc"),
    };
  } catch (error) {
    if ((error as { code?: string }).code !== "MODULE_NOT_FOUND") throw error;
    throw new pulumi.RunError(
      'AwsCluster and ClientMachines need the package "@pulumi/aws": npm install @pulumi/aws@7 (for YAML, Python and other ' +
        `languages in the package's folder: ${packageRoot()})`,
    );
  }
}
