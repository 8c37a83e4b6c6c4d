import type * as pulumi from "@pulumi/pulumi";
import { checked, type InputPlace, refuseBecause } from "../refusal/refusal.ts";

/** Refuses what is no kubeconfig, such as its path; what was given is not repeated, since it may be one that is damaged. */
export function requireKubeconfig(place: InputPlace, kubeconfig: pulumi.Input<string>): pulumi.Input<string> {
  return checked(kubeconfig, (text) => {
    // YAML or JSON with keys.
    if (/^\s*\{|^[\w"'-]+:(\s|$)/m.test(text)) return text;
    return refuseBecause(place, "must be the content of a kubeconfig (YAML or JSON), not its path and not empty");
  });
}

/** Refuses what is no private key, such as its path; nor is that repeated. */
export function requirePrivateKey(
  place: InputPlace,
  key: pulumi.Input<string> | undefined,
): pulumi.Input<string> | undefined {
  if (key === undefined) return undefined;
  return checked(key, (text) => {
    if (/^\s*-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) return text;
    return refuseBecause(
      place,
      'must be the content of a private key ("-----BEGIN OPENSSH PRIVATE KEY-----"), not its path',
    );
  });
}
