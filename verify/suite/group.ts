// How the suite's cases are written.
import type { z } from "zod";
import type { checkSchema, KubernetesObject } from "../../components/documents/check.ts";
import type { Family } from "../../model/address/address.ts";
import type { Skipped } from "../../report/results/verification.ts";
import type { SuiteFacts, SuitePlace } from "./facts.ts";
import { NAMESPACE } from "./objects.ts";

export type WrittenCheck = z.input<typeof checkSchema>;
export type WrittenStep = WrittenCheck["steps"][number];
export type WrittenExpectation = NonNullable<WrittenStep["expect"]>[number];

/** Cases about one subject, and those that cannot be tried here. */
export interface Group {
  name: string;
  apply?: KubernetesObject[];
  delete?: WrittenStep["delete"];
  expect: WrittenExpectation[];
  skipped: Omit<Skipped, "step">[];
}

export const inNamespace = (name: string, namespace = NAMESPACE): string => `pod/${namespace}/${name}`;

/** Pods of the suite, as a source or a destination. `far` is there if a second node is. */
export const [CLIENT, NEAR, FAR] = [inNamespace("client"), inNamespace("near"), inNamespace("far")];

/** The port of a kubelet, which every node has. */
export const KUBELET = 10_250;

/** Pods that ask: one on each node. */
export const asking = ({ far }: SuiteFacts): string[] => (far ? [CLIENT, FAR] : [CLIENT]);

/** @returns builders of expectations, whatever the family; `undefined` is that of a cluster with only one */
export function expecting(family?: Family) {
  const base = family === undefined ? {} : { family };
  type Rest = Partial<WrittenExpectation>;
  return (verdict: WrittenExpectation["verdict"]) =>
    (from: string, to: string, rest: Rest = {}): WrittenExpectation => ({ from, to, verdict, ...base, ...rest });
}

/** The cases for each family that all of these places have; with a choice of only one family, none is named. */
export function eachFamily<Made>(
  families: Family[],
  make: (family?: Family) => Made[],
  ...places: SuitePlace[]
): Made[] {
  return families
    .filter((family) => places.every((place) => place.families.includes(family)))
    .flatMap((family) => make(families.length === 1 ? undefined : family));
}

/** The cases that need something that is missing here. */
export const without = (isThere: boolean, what: string, why: string): Group["skipped"] =>
  isThere ? [] : [{ what, why }];

export const ONE_NODE = "only one node of the cluster can run pods";
export const NO_CLIENT =
  "no machine outside of the cluster is known: only those of a lab, or with --machines those that are reached over SSH";
