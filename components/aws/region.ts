import * as pulumi from "@pulumi/pulumi";

/** Names of AWS regions, e.g. "eu-central-1", "us-gov-west-1". */
const REGION = /^[a-z]{2}(-[a-z]+)+-\d+$/;

/** The region of the default provider; undefined where only the user's own provider, or a profile, knows it. Refuses to continue where
 * nothing can know the region: the provider would report this only after everything else was checked. */
export function requireRegion(component: string, opts: pulumi.ComponentResourceOptions = {}): string | undefined {
  if (opts.provider || opts.providers || opts.parent) return undefined;
  const config = new pulumi.Config("aws");
  const { AWS_REGION, AWS_DEFAULT_REGION, AWS_PROFILE } = process.env;
  const region = config.get("region") ?? (AWS_REGION || AWS_DEFAULT_REGION);
  if (region === undefined || region === "") {
    if (AWS_PROFILE || config.get("profile")) return undefined;
    throw new pulumi.RunError(
      `${component}: no AWS region is known. Set one with: pulumi config set aws:region eu-central-1 (or AWS_REGION)`,
    );
  }
  if (REGION.test(region)) return region;
  throw new pulumi.RunError(
    `${component}: the AWS region is "${region}", but must be one like "eu-central-1" (aws:region)`,
  );
}
