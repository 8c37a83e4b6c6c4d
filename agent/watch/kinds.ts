import type { z } from "zod";
import {
  apiVersionOf,
  type KindName,
  type Kind as KindOfObject,
  kindNames,
  kinds as table,
} from "../../model/objects/kinds.ts";
import type { KubernetesObject } from "../../model/objects/metadata.ts";
import { schemas } from "../../model/objects/schemas.ts";
import { closedPolicy } from "./closed-policy.ts";
import { readableConfiguration } from "./readable-configuration.ts";

/** One kind of object the agent reads. */
export interface Kind<T extends KubernetesObject = KubernetesObject> extends KindOfObject {
  readonly apiVersion: string;
  readonly schema: z.ZodType<T>;
  /** What stands in for an object that cannot be read and has no good version before. */
  readonly substitute?: (object: unknown) => T | undefined;
  /** What can be read of an object that cannot be read as a whole; `known`: its last good version. Goes before both. */
  readonly readable?: (object: unknown, known: unknown) => T | undefined;
  /** What is done instead, in words. */
  readonly instead?: string;
}

type Reading = Pick<Kind, "substitute" | "readable" | "instead">;

/** How objects that cannot be read as a whole are read. */
const readings: Partial<Record<KindName, Reading>> = {
  networkPolicies: {
    substitute: closedPolicy,
    instead: "it isolates its pods and allows nothing until it is mended",
  },
  felixConfigurations: {
    readable: readableConfiguration,
    instead: "the other fields are in force, and this one keeps its last good value until it is mended",
  },
};

/** By the name of their field in the snapshot. */
export const kinds = Object.fromEntries(
  kindNames.map((name): [KindName, Kind] => [
    name,
    { ...table[name], apiVersion: apiVersionOf(table[name]), schema: schemas[name], ...readings[name] },
  ]),
) as Readonly<Record<KindName, Kind>>;
