import { expect, test } from "vitest";
import type { z } from "zod";
import { LogLevel, ReturnMode } from "../dataplane/args.ts";
import { ExistingKubeProxy, OtherNetworkPlugin } from "../existing-cluster/args.ts";
import { MachineRole } from "../machine/machine.ts";
import { agentSettingsSchema } from "./agent-settings.ts";
import { faultsOf, inWords } from "./faults.ts";
import { labSchema } from "./lab.ts";
import { preflightSchema } from "./preflight.ts";

const lab = {
  name: "local",
  kubernetesVersion: "v1.35.0",
  podSubnet: "10.244.0.0/16",
  serviceSubnet: "10.96.0.0/12",
  machines: [{ name: "master", role: "control-plane", address: "172.31.1.8" }],
};

// Programs read texts, components have enums: only this test compares the two.
test.each<[string, z.ZodType<string | undefined>, object]>([
  ["role", labSchema.shape.machines.element.shape.role, MachineRole],
  ["returnMode", preflightSchema.shape.returnMode, ReturnMode],
  ["existingKubeProxy", preflightSchema.shape.existingKubeProxy, ExistingKubeProxy],
  ["otherNetworkPlugin", preflightSchema.shape.otherNetworkPlugin, OtherNetworkPlugin],
  ["logLevel", agentSettingsSchema.shape.logLevel, LogLevel],
])("documents know every word for %s that components have", (_, schema, words) => {
  for (const word of Object.values(words)) expect(schema.parse(word)).toBe(word);
  expect(schema.safeParse("another").success).toBe(false);
});

test.each<[string, object, string[]]>([
  ["nothing", {}, []],
  [
    "one field",
    { podSubnet: "10.244.1.0/16" },
    ['podSubnet is "10.244.1.0/16", but must be a network address (did you mean 10.244.0.0/16?)'],
  ],
  [
    "a field of a list",
    { machines: [{ ...lab.machines[0], address: "172.31.1.255" }] },
    ['machines[0].address is "172.31.1.255", but must be from 172.31.1.2 to 172.31.1.254, the machines\' network'],
  ],
  [
    "two fields beside each other",
    { serviceSubnet: "10.244.0.0/16" },
    ['podSubnet is "10.244.0.0/16", but must be apart from serviceSubnet 10.244.0.0/16'],
  ],
  // Rules between fields are asked only where each of them is right.
  [
    "several fields",
    { name: "", serviceSubnet: "10.244.0.0" },
    [
      'name is "", but must be at most 12 lower case letters and digits, beginning with a letter',
      'serviceSubnet is "10.244.0.0", but must be a network with its prefix length (did you mean 10.244.0.0/32?)',
    ],
  ],
  [
    "an unknown field",
    { kubeproxy: true },
    [
      'the document: unknown key "kubeproxy"; did you mean "kubeProxy"? (allowed: name, kubernetesVersion, podSubnet, serviceSubnet, podSubnetIpv6, serviceSubnetIpv6, ipFamilies, subnets, machines, images, kubeProxy)',
    ],
  ],
])("says what is wrong with %s", (_, change, faults) => {
  expect(faultsOf(labSchema, { ...lab, ...change }).map(inWords)).toEqual(faults);
});
