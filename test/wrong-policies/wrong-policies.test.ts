// What a user reads who gets a policy wrong: in a preview, from the runner, and in the Event of an agent.
import * as pulumi from "@pulumi/pulumi";
import { beforeAll, expect, test } from "vitest";
import type { Logger } from "../../agent/watch/logger.ts";
import { ProblemReporter } from "../../agent/watch/problem-reporter.ts";
import { SnapshotStore } from "../../agent/watch/snapshot-store.ts";
import { Dataplane } from "../../components/dataplane/component.ts";
import { recordResources } from "../../components/testing/program.ts";
import { apiVersionOf, kinds } from "../../model/objects/kinds.ts";
import type { Problem } from "../../model/problem.ts";
import { messageOf } from "../../runner/failure.ts";
import { WRONG_POLICIES, type WrongPolicy } from "./cases.ts";

beforeAll(() => recordResources());

/** What the runner prints when a program declares it. */
function refusedInPreview({ kind, fields }: WrongPolicy): string {
  const apiServer = { host: "172.31.1.8", port: 6443 };
  try {
    new Dataplane("dp", { apiServer, [kind]: [{ name: "a", ...fields }] } as never);
  } catch (error) {
    expect(error).toBeInstanceOf(pulumi.RunError);
    return messageOf(error);
  }
  throw new Error("accepted");
}

/** The Events of an agent that sees it as an object. */
function reportedByAgent({ kind, fields }: WrongPolicy): Problem[] {
  const store = new SnapshotStore(() => {});
  const { namespaced } = kinds[kind];
  const metadata = { name: "a", uid: "u", ...(namespaced && { namespace: "shop" }) };
  store.put(kind, { apiVersion: apiVersionOf(kinds[kind]), kind: kinds[kind].kind, metadata, spec: fields });
  const events: Problem[] = [];
  const silent = { warn: () => {}, info: () => {} } as unknown as Logger;
  new ProblemReporter(silent, (problem) => events.push(problem)).report(store.problems());
  for (const event of events)
    expect(store.reference(event)).toMatchObject({ kind: kinds[kind].kind, name: "a", uid: "u" });
  return events;
}

test.each(WRONG_POLICIES.map((wrong) => [`${kinds[wrong.kind].kind}: ${wrong.what}`, wrong] as const))(
  "%s",
  (_, wrong) => {
    const { kind, path, said, preview = said, misspelt } = wrong;
    const message = refusedInPreview(wrong);
    const place = `Dataplane "dp": ${kind}[0]`;
    const [, parent = "", key = ""] = /^(?:(.*)\.)?([^.]+)$/.exec(path) ?? [];
    const below = (field: string) => (field === "" ? place : `${place}.${field}`);
    if (misspelt) expect(message).toContain(`${below(parent)}: unknown key "${key}"; did you mean "${said}"?`);
    else expect(message).toContain(preview);
    expect(message).toContain(below(parent));
    expect(message).not.toMatch(/\n\s+at /);

    const events = reportedByAgent(wrong);
    const event = events.find((one) => one.path === (path === "" ? "spec" : `spec.${path}`));
    expect({ event: event?.path, all: events.map((one) => `${one.path}: ${one.message}`) }).toMatchObject({
      event: expect.any(String),
    });
    expect(event?.message).toContain(said);
  },
);
