import { expect, test } from "vitest";
import { buildPreview } from "./build.ts";
import { NotADigest, readDigest } from "./digest.ts";
import { previewText } from "./print/text.ts";
import type { Resource } from "./resource.ts";
import { deployment, from, policy, service } from "./testing/objects.ts";
import { awsCluster, dataplane, object, twoNodesAndAClient, urnOf } from "./testing/stack.ts";

const stack = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev";

/** A resource in the format of the Pulumi CLI 3.259. */
const state = ({ urn, type, parent, inputs, references, provider }: Resource) => ({
  urn,
  type,
  custom: true,
  parent: parent || stack,
  inputs,
  propertyDependencies: { ...references, apiVersion: [] },
  ...(provider && { provider }),
});

const step = (op: string, before: Resource | undefined, after: Resource | undefined) => ({
  op,
  urn: (after ?? before)?.urn,
  ...(before && { oldState: state(before) }),
  ...(after && { newState: state(after) }),
  detailedDiff: null,
});

const same = [...awsCluster(twoNodesAndAClient), ...dataplane(), object(deployment("nginx")), object(service("nginx"))];
const opened = object(policy("nginx", "nginx", from("172.31.1.55/32", "172.31.1.162/32")));
const closed = object(policy("nginx", "nginx", from("172.31.1.162/32")));
const digest = (...steps: object[]) =>
  JSON.stringify({ config: {}, steps: [...same.map((one) => step("same", one, one)), ...steps], changeSummary: {} });

test("a stack is compared with its own state", () => {
  const { project, stack: name, before, after } = readDigest(digest(step("update", opened, closed)));
  const baseline = {
    what: "the stack as it is deployed",
    preview: buildPreview({ project, stack: name, resources: before }),
  };
  const preview = buildPreview({ project, stack: name, resources: after }, baseline);
  expect([project, name]).toEqual(["shop", "dev"]);
  expect(preview.against?.reach).toContainEqual({
    from: "client1",
    to: "nginx:80",
    before: "allowed",
    after: "dropped",
    policies: ["NetworkPolicy default/nginx"],
  });
  const text = previewText(preview);
  expect(text).toContain("~ ├─ NetworkPolicy nginx");
  expect(text).toContain("Against the stack as it is deployed\n  client1 → nginx:80 was allowed, will be dropped");
});

test("a deleted policy is shown in the tree, and has no effect", () => {
  const { before, after } = readDigest(digest(step("delete", closed, undefined)));
  const of = { project: "shop", stack: "dev" };
  const baseline = { what: "state", preview: buildPreview({ ...of, resources: before }) };
  const preview = buildPreview({ ...of, resources: after }, baseline);
  expect(previewText(preview)).toContain("- ├─ NetworkPolicy nginx");
  expect(preview.against?.reach).toContainEqual(
    expect.objectContaining({ from: "client1", to: "nginx:80", before: "dropped", after: "allowed" }),
  );
});

test("a replacement is one resource, whatever the order of its steps", () => {
  const steps = [
    step("create-replacement", opened, closed),
    step("replace", opened, closed),
    step("delete-replaced", opened, undefined),
  ];
  for (const order of [steps, [...steps].reverse()]) {
    const { after } = readDigest(digest(...order));
    expect(after.filter(({ urn }) => urn === closed.urn)).toMatchObject([{ change: "replace", inputs: closed.inputs }]);
  }
});

test("the order of the steps makes no difference", () => {
  const { steps, ...rest } = JSON.parse(digest(step("create", undefined, closed)));
  const reversed = JSON.stringify({ ...rest, steps: steps.reverse() });
  expect(readDigest(reversed)).toEqual(readDigest(digest(step("create", undefined, closed))));
});

test("unknown and secret values are absent", () => {
  const urn = urnOf("command:local:Command", "make");
  const inputs = { stdin: "04da6b54-80e4-46f7-96ec-b56ff0331ba9", environment: { TOKEN: "[secret]", A: "b" } };
  const steps = [{ op: "create", urn, newState: { urn, type: "command:local:Command", inputs } }];
  expect(readDigest(JSON.stringify({ steps })).after).toMatchObject([{ inputs: { environment: { A: "b" } } }]);
  expect(readDigest(JSON.stringify({ steps })).after[0]?.inputs).not.toHaveProperty("stdin");
});

test.each([
  ["{", "it is not valid JSON"],
  ['{"resources": []}', "it is not the output of `pulumi preview --json`"],
  ['{"steps": []}', "it has no steps: run `pulumi preview --json --show-sames`"],
])("%s is not a digest", (text, message) => {
  expect(() => readDigest(text)).toThrow(NotADigest);
  expect(() => readDigest(text)).toThrow(message);
});
