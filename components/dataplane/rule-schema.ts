import { PROTOCOLS } from "../../model/objects/calico-policy/values.ts";
import type { Rule, Schema } from "./definition.ts";

// What the API server checks of rules in Calico's policies. Agents check more (model/objects/calico-policy): whatever the API server
// lets pass and means nothing here gets an Event and denies.

export const text = (more: Schema = {}): Schema => ({ type: "string", ...more });
export const integer = (minimum: number, maximum: number): Schema => ({ type: "integer", minimum, maximum });
export const choice = (...values: string[]): Schema => ({ type: "string", enum: values });
export const flag: Schema = { type: "boolean" };
export const labels: Schema = { type: "object", additionalProperties: { type: "string" } };
export const object = (properties: Record<string, Schema>, more: Schema = {}): Schema => ({
  type: "object",
  properties,
  ...more,
});
/** A list without duplicates. */
export const set = (items: Schema, more: Schema = {}): Schema => ({
  type: "array",
  items,
  x_kubernetes_list_type: "set",
  ...more,
});
export const sequence = (items: Schema, maxItems?: number): Schema => ({
  type: "array",
  items,
  ...(maxItems && { maxItems }),
});
/** The schema with CEL rules of its own, each of which must hold. */
export const obeying = (schema: Schema, rules: Rule[]): Schema => ({ ...schema, x_kubernetes_validations: rules });

/** Kubernetes' own. */
export const LABEL_SELECTOR = object({
  matchLabels: labels,
  matchExpressions: sequence(
    object(
      { key: text(), operator: choice("In", "NotIn", "Exists", "DoesNotExist"), values: sequence(text()) },
      { required: ["key", "operator"] },
    ),
  ),
});

export const SELECTOR = text({ maxLength: 1_024 });
export const OBJECT_NAME = text({
  maxLength: 253,
  pattern: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
});
const NET = text({ maxLength: 43, pattern: "^[0-9a-fA-F:.]+(/[0-9]{1,3})?$" });
const NETS = set(NET, { maxItems: 256 });
const NUMBER_OR_TEXT: Schema = { x_kubernetes_int_or_string: true, anyOf: [{ type: "integer" }, { type: "string" }] };

const names = Object.keys(PROTOCOLS);
export const PROTOCOL: Schema = {
  ...NUMBER_OR_TEXT,
  pattern: `^(${names.join("|")}|[1-9][0-9]{0,2})$`,
  minimum: 1,
  maximum: 255,
};
const PORT: Schema = { ...NUMBER_OR_TEXT, pattern: "^[a-zA-Z0-9_.:-]{1,128}$", minimum: 1, maximum: 65_535 };
const PORTS = sequence(PORT, 50);

/** `global()` is not allowed in these fields: it concerns the namespaces of the other side. */
export const withoutGlobal = (...fields: string[]): Rule[] =>
  fields.map((field) => ({
    rule: `!has(self.${field}) || !self.${field}.contains('global(')`,
    message: `${field}: global() is allowed only in namespaceSelector of a rule's source or destination`,
  }));

const given = (field: string): string => `has(self.${field}) && size(self.${field}) > 0`;
const BESIDE_SERVICES = ["selector", "notSelector", "namespaceSelector", "nets", "notNets"];

const ENTITY = obeying(
  object({
    nets: NETS,
    notNets: NETS,
    selector: SELECTOR,
    notSelector: SELECTOR,
    namespaceSelector: SELECTOR,
    services: object({ name: OBJECT_NAME, namespace: text({ maxLength: 253 }) }, { required: ["name"] }),
    serviceAccounts: object({ names: set(text()), selector: SELECTOR }),
    ports: PORTS,
    notPorts: PORTS,
  }),
  [
    ...withoutGlobal("selector", "notSelector"),
    {
      rule: `!has(self.services) || !(has(self.serviceAccounts) || ${BESIDE_SERVICES.map((field) => `(${given(field)})`).join(" || ")})`,
      message: "services cannot stand beside selectors, networks and service accounts",
    },
  ],
);

const ICMP = obeying(object({ type: integer(0, 254), code: integer(0, 255) }), [
  { rule: "!has(self.code) || has(self.type)", message: "an ICMP code needs a type beside it" },
]);

const is = (field: string, name: keyof typeof PROTOCOLS): string =>
  `(self.${field} == '${name}' || self.${field} == ${PROTOCOLS[name]})`;
const hasIcmp = `has(self.protocol) && (${is("protocol", "ICMP")} || ${is("protocol", "ICMPv6")})`;
const familyRules = (["ICMP", "ICMPv6"] as const).flatMap((name) => {
  const version = name === "ICMP" ? 4 : 6;
  return ["protocol", "notProtocol"].map((field) => ({
    rule: `!has(self.${field}) || !${is(field, name)} || !has(self.ipVersion) || self.ipVersion == ${version}`,
    message: `${name} is of ipVersion ${version} only`,
  }));
});

const RULE = obeying(
  object(
    {
      action: choice("Allow", "Deny", "Log", "Pass"),
      ipVersion: { type: "integer", enum: [4, 6] },
      protocol: PROTOCOL,
      notProtocol: PROTOCOL,
      icmp: ICMP,
      notICMP: ICMP,
      source: ENTITY,
      destination: ENTITY,
      metadata: object({ annotations: labels }),
      // A field of Calico's that is declared only to be refused: if the API server dropped it silently, the rule would allow more.
      http: { type: "object", x_kubernetes_preserve_unknown_fields: true },
    },
    { required: ["action"] },
  ),
  [
    { rule: "!has(self.http)", message: "http is not supported: the dataplane does not read HTTP" },
    {
      rule: `!(has(self.icmp) || has(self.notICMP)) || ${hasIcmp}`,
      message: "icmp and notICMP need protocol ICMP or ICMPv6",
    },
    ...familyRules,
  ],
);

export const RULES = sequence(RULE, 1_024);
