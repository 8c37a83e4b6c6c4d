import { schemas } from "../schemas.ts";

export type Name = keyof typeof schemas;

/** What is refused of an object, with its path. */
export function refusals(kind: Name, spec: unknown, metadata: object = { name: "a", namespace: "shop" }): string[] {
  const { error } = schemas[kind].safeParse({ metadata, spec });
  return (error?.issues ?? []).map((issue) => {
    const path = issue.code === "unrecognized_keys" ? [...issue.path, ...issue.keys] : issue.path;
    return `${path.join(".")}: ${issue.message}`;
  });
}

/** What is kept of an object's spec. */
export function specOf(kind: Name, spec: unknown): Record<string, unknown> {
  const parsed = schemas[kind].parse({ metadata: { name: "a", namespace: "shop" }, spec });
  return (parsed as unknown as { spec: Record<string, unknown> }).spec;
}
