import { createRequire } from "node:module";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { attachMonitor } from "./monitor.ts";
import type { Operation } from "./operation.ts";
import { requireHonoured } from "./options.ts";
import { protocolOf } from "./transforms.ts";

/** What the runner's engine is told of a program's objects, by name. */
async function operationsOf(program: () => void): Promise<Record<string, Operation>> {
  const seen: Record<string, Operation> = {};
  const register = async (operation: Operation) => {
    seen[operation.name] = operation;
    return { id: operation.name, state: operation.inputs };
  };
  const where = { project: "p", stack: "s", preview: false };
  await attachMonitor(pulumi, protocolOf(createRequire(import.meta.url)), where, register, async () => undefined);
  await pulumi.runtime.runInPulumiStack(async () => program());
  await pulumi.runtime.disconnect();
  return seen;
}

const map = (name: string, opts: pulumi.CustomResourceOptions = {}) =>
  new k8s.core.v1.ConfigMap(name, { metadata: { name } }, opts);

class Group extends pulumi.ComponentResource {
  constructor(name: string, opts: pulumi.ComponentResourceOptions) {
    super("p:index:Group", name, {}, opts);
    map("child", { parent: this });
    map("other", { parent: this, retainOnDelete: false, protect: false });
  }
}

test("the options of a resource reach what applies and removes it; children have protect and retainOnDelete too", async () => {
  const seen = await operationsOf(() => {
    new Group("group", { protect: true, retainOnDelete: true });
    const a = map("a", { deleteBeforeReplace: true, ignoreChanges: ["data.x"] });
    map("b", { deletedWith: a, customTimeouts: { create: "1m", delete: "90s" } });
    map("plain", { aliases: [{ name: "former" }], version: "4.0.0", dependsOn: a });
  });
  expect(seen.child).toMatchObject({ protect: true, retainOnDelete: true });
  for (const name of ["other", "plain"])
    expect(Object.keys(seen[name] ?? {}).sort()).toEqual([
      "custom",
      "inputs",
      "name",
      "parent",
      "provider",
      "references",
      "type",
      "urn",
    ]);
  expect(seen.a).toMatchObject({ deleteBeforeReplace: true, ignoreChanges: ["data.x"] });
  expect(seen.b).toMatchObject({ deletedWith: seen.a?.urn, timeout: 60_000, deleteTimeout: 90_000 });
});

test.each([
  ["1h30m", 5_400_000],
  ["1.5h", 5_400_000],
  ["500ms", 500],
  ["0", undefined],
])("customTimeouts of %s", async (duration, timeout) => {
  const { a } = await operationsOf(() => void map("a", { customTimeouts: { update: duration } }));
  expect(a?.timeout).toBe(timeout);
});

test.each(["90 seconds", "1d", "90"])("a timeout of %j is refused", async (duration) => {
  const { a } = await operationsOf(() => void map("a", { customTimeouts: { delete: duration } }));
  expect(() => requireHonoured(a as Operation)).toThrow(`customTimeouts.delete is "${duration}"`);
});

test("transforms change inputs and options: the resource's own first, then its parents', then the stack's", async () => {
  const mark =
    (text: string): pulumi.ResourceTransform =>
    ({ props, opts, type }) => {
      if (!type.endsWith(":ConfigMap")) return undefined;
      return { props: { ...props, data: { way: `${props.data?.way ?? ""}${text}` } }, opts };
    };
  const seen = await operationsOf(() => {
    pulumi.runtime.registerResourceTransform(mark("stack"));
    class Outer extends pulumi.ComponentResource {
      constructor() {
        super("p:index:Outer", "outer", {}, { transforms: [mark("outer ")] });
        map("inner", { parent: this, transforms: [mark("own "), mark("second ")] });
      }
    }
    new Outer();
    map("single", {
      ignoreChanges: ["data.a"],
      transforms: [({ props, opts }) => ({ props, opts: pulumi.mergeOptions(opts, { protect: true }) })],
    });
  });
  expect(seen.inner?.inputs.data).toEqual({ way: "own second outer stack" });
  expect(seen.single).toMatchObject({ protect: true, ignoreChanges: ["data.a"], inputs: { data: { way: "stack" } } });
});

test("secrets pass through transforms", async () => {
  const seen = await operationsOf(() => {
    const stringData = { password: pulumi.secret("hunter2") };
    new k8s.core.v1.Secret(
      "s",
      { metadata: { name: "s" }, stringData },
      { transforms: [({ props, opts }) => ({ props, opts })] },
    );
  });
  expect(seen.s?.inputs.stringData).toEqual({ password: "hunter2" });
});

test.each<[string, pulumi.CustomResourceOptions]>([
  ["replaceOnChanges", { replaceOnChanges: ["data"] }],
  ["replacementTrigger", { replacementTrigger: 1 }],
  ["import", { import: "default/a" }],
  ["hooks", { hooks: { afterCreate: [async () => {}] } }],
])("%s means nothing without state: refused with the CLI's name", async (option, opts) => {
  const { a } = await operationsOf(() => {
    map("a", opts);
  });
  expect(() => requireHonoured(a as Operation)).toThrow(
    `its option ${option} needs the state that only the Pulumi CLI keeps`,
  );
});

test("what the SDK of commands sets for their triggers is accepted", () => {
  expect(() => requireHonoured({ type: "command:local:Command", unhonoured: ["replaceOnChanges"] })).not.toThrow();
});

test("ignoreChanges of a command is refused: nobody knows with what it was made", () => {
  const ignoreChanges = ["create"];
  expect(() => requireHonoured({ type: "command:local:Command", ignoreChanges })).toThrow("its option ignoreChanges");
  for (const type of ["kubernetes:core/v1:ConfigMap", "aws:ec2/instance:Instance"])
    expect(() => requireHonoured({ type, ignoreChanges })).not.toThrow();
});
