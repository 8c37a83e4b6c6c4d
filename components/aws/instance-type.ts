import { type InputPlace, refuse } from "../refusal/refusal.ts";
import { Architecture } from "./machine.ts";

/** Graviton families: a digit, then g among the attributes (t4g, m7gd, im4gn, g5g); the first generation is a1. */
const GRAVITON = /^(a1|[a-z]+\d+g[a-z]*)\./;
const INSTANCE_TYPE = /^[a-z][a-z0-9-]*\.[a-z0-9-]+$/;

/** The processor of an instance type, by its name. */
function architectureOf(instanceType: string): Architecture {
  return GRAVITON.test(instanceType) ? Architecture.Arm64 : Architecture.Amd64;
}

/** Refuses what cannot be an instance type, or one with another processor than the machine image. */
export function requireInstanceType(place: InputPlace, instanceType: string, architecture: Architecture): string {
  if (!INSTANCE_TYPE.test(instanceType)) refuse(place, instanceType, 'an EC2 instance type like "t3.medium"');
  if (/^mac/.test(instanceType)) refuse(place, instanceType, "a type that runs Linux");
  if (architectureOf(instanceType) === architecture) return instanceType;
  const fitting = architecture === Architecture.Arm64 ? "t4g, m7g or c7g" : "t3, m7i or c7i";
  return refuse(
    place,
    instanceType,
    `a type with the processor ${architecture} (architecture), such as those of ${fitting}`,
  );
}

/** Families of the Xen system, which reach AWS's own services over IPv4 only. */
const XEN = /^(t[12]|m[1-4]|c[1-4]|r[34]|i[23]|d2|h1|x1e?|z1|g[23]|p[23]|f1|cc2|cr1|hs1)\./;

/** Refuses a type whose instances cannot reach a name server over IPv6. */
export function requireIpv6Services(place: InputPlace, instanceType: string): void {
  if (XEN.test(instanceType))
    refuse(
      place,
      instanceType,
      "a type of the Nitro system, such as t3 or m7i: pods with IPv6 alone need its name server",
    );
}

/** kubeadm requires two processors and 1.7 GB for a control plane; a client needs very little. */
export function defaultInstanceType(architecture: Architecture, isNode: boolean): string {
  const family = architecture === Architecture.Arm64 ? "t4g" : "t3";
  return `${family}.${isNode ? "medium" : "micro"}`;
}
