import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { z } from "zod";
import { agentSettingsSchema } from "../documents/agent-settings.ts";
import { resolved } from "../testing/program.ts";
import { refusalsOf } from "../testing/refusals.ts";
import { documentText, requireDocument } from "./document.ts";
import { argumentsOf } from "./refusal.ts";

const place = argumentsOf("Dataplane", "dp");

test("a document that is known is refused at once, by the path of the argument", () => {
  const write = (document: object) => () => requireDocument(place, agentSettingsSchema, document);
  expect(write({ serviceSubnet: "10.96.0.0" })).toThrow('Dataplane "dp": serviceSubnet is "10.96.0.0", but must be');
  expect(write({ uplinks: ["eth0", "eth.*"] })).toThrow('Dataplane "dp": uplinks[1] is "eth.*", but must be');
  expect(write({ mtu: 576 })).toThrow('Dataplane "dp": mtu is 576, but must be at least 1280.');
  expect(write({ uplink: [] })).toThrow('Dataplane "dp": unknown key "uplink"; did you mean "uplinks"? (allowed: ');
});

test("a field that is missing says what it must be", () => {
  const schema = z.strictObject({ name: z.string() });
  expect(() => requireDocument(place, schema, {} as { name: string })).toThrow(
    'Dataplane "dp": name is undefined, but must be a text.',
  );
});

test("a refusal leads to where the component is declared, whenever it is refused", async () => {
  const declare = () => argumentsOf("Dataplane", "dp");
  const later = declare();
  const refused = await Promise.resolve().then(() => {
    try {
      return requireDocument(later, agentSettingsSchema, { mtu: 576 });
    } catch (error) {
      return error as Error;
    }
  });
  expect((refused as Error).stack).toMatch(/^Error: Dataplane "dp": mtu is 576[^\n]*\n(\s+at .*\n)*\s+at declare /);
});

test("a part that is known later is looked at then; what is right is written as it was given", async () => {
  const text = (serviceSubnet: string) =>
    documentText(place, agentSettingsSchema, { uplinks: ["eth0"], serviceSubnet: pulumi.output(serviceSubnet) });
  expect(await resolved(text("10.96.0.0/16"))).toBe('{"uplinks":["eth0"],"serviceSubnet":"10.96.0.0/16"}');
  expect(await refusalsOf(() => text("10.96.0.0/28"))).toContain(
    'Dataplane "dp": serviceSubnet is "10.96.0.0/28", but must be a network of at least /24.',
  );
});
