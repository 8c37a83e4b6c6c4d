import { Document, isMap, isSeq, type YAMLMap } from "yaml";
import { objectOf, specOf } from "./objects.ts";
import type { SuggestedPolicy, Suggestion } from "./suggest.ts";

/** The policies as YAML documents for kubectl, with what the log says in comments. @param heading lines about the log */
export function suggestionYaml(suggestion: Suggestion, heading: readonly string[]): string {
  const { policies } = suggestion;
  const top = [...heading, ...notAllowedLines(suggestion)].map((line) => `# ${oneLine(line)}\n`).join("");
  return top + policies.map((policy) => `---\n${documentOf(policy)}`).join("");
}

function notAllowedLines({ uncovered, forbidden }: Suggestion): string[] {
  return [
    ...uncovered.map(({ flow, why }) => `Not allowed by these policies: ${flow}: ${why}.`),
    ...forbidden.map(({ flow, why }) => `Allowed by these policies, and not by others: ${flow}: ${why}.`),
  ];
}

function documentOf(policy: SuggestedPolicy): string {
  const document = new Document(objectOf(policy));
  if (policy.comments.length > 0) document.commentBefore = comment(policy.comments);
  for (const direction of ["ingress", "egress"] as const) {
    const rules = document.getIn(["spec", direction]);
    if (!isSeq(rules)) continue;
    for (const [index, item] of rules.items.entries())
      if (isMap(item)) (item as YAMLMap).commentBefore = comment(policy[direction][index]?.comments ?? []);
  }
  return document.toString({ lineWidth: 0 });
}

const comment = (lines: readonly string[]): string => lines.map((line) => ` ${oneLine(line)}`).join("\n");

// Names come from the cluster: none may end a comment.
function oneLine(text: string): string {
  return text.replace(/[\p{C}\u2028\u2029]/gu, " ");
}

const ENUMS: Readonly<Record<string, string>> = { protocol: "Protocol", operator: "LabelSelectorOperator" };
const MEMBERS: Readonly<Record<string, string>> = { TCP: "Tcp", UDP: "Udp", SCTP: "Sctp" };

/** The same as a module of typed inputs for `networkPolicies` of `Dataplane`. */
export function suggestionTypescript(suggestion: Suggestion, heading: readonly string[]): string {
  const { policies } = suggestion;
  const list = policies
    .map((policy) => {
      const { policyTypes: _, ingress, egress, podSelector } = specOf(policy);
      const rules = (direction: "ingress" | "egress", written: readonly unknown[]) =>
        written.length === 0
          ? `    ${direction}: [],\n`
          : `    ${direction}: [\n${written
              .map(
                (rule, index) =>
                  `${commented(policy[direction][index]?.comments ?? [], "      ")}      ${literal(rule, "      ")},\n`,
              )
              .join("")}    ],\n`;
      return (
        `${commented(policy.comments, "  ")}  {\n    name: ${JSON.stringify(policy.name)},\n` +
        `    namespace: ${JSON.stringify(policy.namespace)},\n    podSelector: ${literal(podSelector, "    ")},\n` +
        `    policyTypes: [PolicyType.Ingress, PolicyType.Egress],\n${rules("ingress", ingress)}${rules("egress", egress)}  },\n`
      );
    })
    .join("");
  const used = ["LabelSelectorOperator", "Protocol"].filter((name) => list.includes(`${name}.`));
  const names = [...used, "PolicyType", "type NetworkPolicySpec"].sort((a, b) => (bare(a) < bare(b) ? -1 : 1));
  const top = commented([...heading, ...notAllowedLines(suggestion)], "");
  return `${top}import { ${names.join(", ")} } from "ebpf-dataplane";\n\nexport const networkPolicies: NetworkPolicySpec[] = [\n${list}];\n`;
}

const bare = (name: string): string => name.replace("type ", "");

function commented(lines: readonly string[], indent: string): string {
  return lines.map((line) => `${indent}// ${oneLine(line)}\n`).join("");
}

function literal(value: unknown, indent: string, field = ""): string {
  if (Array.isArray(value)) return `[${value.map((item) => literal(item, indent)).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, item]) => {
      const name = /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
      // The keys of labels are the user's.
      return `${name}: ${literal(item, indent, field === "matchLabels" ? "" : key)}`;
    });
    return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
  }
  const type = ENUMS[field];
  return type && typeof value === "string" ? `${type}.${MEMBERS[value] ?? value}` : JSON.stringify(value);
}
