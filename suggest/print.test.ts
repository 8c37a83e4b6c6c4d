import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import type { FlowEnd } from "../model/flow/record.ts";
import { objectOf, specOf } from "./objects.ts";
import { suggestionTypescript, suggestionYaml } from "./print.ts";
import { suggestPolicies } from "./suggest.ts";

const pods = (workload: string, labels: Record<string, string> = { app: workload }): FlowEnd => ({
  ...{ kind: "pods", namespace: "shop", workload, labels },
});
const rest = { connections: 3, packetsDenied: 0, policies: [], last: 0, isOwnNode: false, reports: [] };
const suggestion = suggestPolicies({
  flows: [
    { from: pods("web"), to: pods("pg", { protocol: "TCP" }), protocol: "TCP", port: 5432, ...rest },
    { from: { kind: "network", cidr: "0.0.0.0/0" }, to: pods("web"), protocol: "UDP", port: 443, ...rest },
    { from: pods("next", { app: "web", canary: "yes" }), to: pods("web"), protocol: "SCTP", port: 80, ...rest },
  ],
  ...{ nodes: ["a"], from: 0, until: 0, unnamed: 0, pools: ["10.244.0.0/16"], hosts: new Map() },
});

test("YAML has the objects, and comments for what was generalised", () => {
  const text = suggestionYaml(suggestion, ["From a\nlog.", "Nothing else."]);
  const documents = parseAllDocuments(text);
  expect(documents.map((one) => ("toJS" in one ? one.toJS() : undefined))).toEqual(suggestion.policies.map(objectOf));
  expect(text).toContain("# Generalised: the log has too many addresses to name them; 0.0.0.0/0 is everybody outside.");
  expect(text).toMatch(/^# From a log\.\n# Nothing else\.\n---/);
  expect(text).toMatch(/ +# Seen: shop\/web; 3 connections\.\n +- /);
});

test("the typed inputs are the same", () => {
  const text = suggestionTypescript(suggestion, ["From a\nlog."]);
  expect(text).toMatch(
    /^\/\/ From a log\.\nimport \{ LabelSelectorOperator, type NetworkPolicySpec, PolicyType, Protocol \} from/,
  );
  const program = text
    .replace(/^import.*$/m, "")
    .replace("export const networkPolicies: NetworkPolicySpec[] =", "return");
  const made = new Function("PolicyType", "Protocol", "LabelSelectorOperator", program)(
    { Ingress: "Ingress", Egress: "Egress" },
    { Tcp: "TCP", Udp: "UDP", Sctp: "SCTP" },
    { DoesNotExist: "DoesNotExist" },
  );
  expect(made).toEqual(
    suggestion.policies.map((policy) => ({ name: policy.name, namespace: policy.namespace, ...specOf(policy) })),
  );
});
