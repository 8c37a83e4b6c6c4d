import type { LabelSelector } from "../objects/networking.ts";

export type Labels = Readonly<Record<string, string>>;

/** Whether the labels satisfy every requirement; the empty selector matches everything (labels.Selector in apimachinery). */
export function selects(selector: LabelSelector, labels: Labels): boolean {
  const label = (key: string) => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  const exact = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => label(key) === value);
  return (
    exact &&
    selector.matchExpressions.every(({ key, operator, values }) => {
      const value = label(key);
      if (operator === "Exists") return value !== undefined;
      if (operator === "DoesNotExist") return value === undefined;
      const listed = value !== undefined && values.includes(value);
      return operator === "In" ? listed : !listed;
    })
  );
}

/** One text per meaning, in the form kubectl uses: "app=web,tier in (a,b),!legacy". "all" for the empty selector. */
export function selectorText(selector: LabelSelector): string {
  const parts = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${plain(key)}=${plain(value)}`);
  for (const { key, operator, values } of selector.matchExpressions) {
    if (operator === "Exists") parts.push(plain(key));
    else if (operator === "DoesNotExist") parts.push(`!${plain(key)}`);
    else parts.push(`${plain(key)} ${operator === "In" ? "in" : "notin"} (${values.map(plain).sort().join(",")})`);
  }
  return [...new Set(parts)].sort().join(",") || "all";
}

// Anything that is no label by the API's rules is quoted, so that no text can be read two ways.
function plain(text: string): string {
  return /^[A-Za-z0-9_./-]+$/.test(text) ? text : JSON.stringify(text);
}
