import type { Report } from "../../document.ts";
import { modeName } from "../../modes.ts";
import { Section } from "../section.tsx";
import { Table } from "../table.tsx";
import { listed } from "../words.ts";

export function LoggedSources({ logged, compare }: Pick<Report, "logged" | "compare">) {
  const served = new Map(compare?.modes.map(({ mode, served }) => [mode as string, inWords(served)]));
  if (logged.length === 0) return null;
  return (
    <Section id="logged" title="What the server logged">
      <p class="note">Source addresses as the server itself logged them, not as the dataplane reports them.</p>
      <Table
        caption="Sources in the server's own log"
        columns={["mode", "client", "sources logged", "the clients' own", "served under the policy"].map((head) => ({
          head,
        }))}
        rows={logged.map(({ mode, client, sources, own }) => [
          modeName(mode),
          client ?? "all clients",
          <code>{sources.join(", ")}</code>,
          own === undefined ? "not known" : <span class={own ? "pass" : "fail"}>{own ? "✓ yes" : "✕ no"}</span>,
          served.get(mode ?? "") ?? "see the truth table",
        ])}
        stack
      />
      {logged.some(({ lines }) => lines.length > 0) ? (
        <details open>
          <summary>The lines</summary>
          {logged
            .filter(({ lines }) => lines.length > 0)
            .map(({ mode, client, lines }) => (
              <>
                <h3>{client ? `${modeName(mode)}, ${client}` : modeName(mode)}</h3>
                <pre>{lines.join("\n")}</pre>
              </>
            ))}
        </details>
      ) : null}
    </Section>
  );
}

function inWords(served: Record<string, boolean>): string {
  const names = Object.entries(served).flatMap(([client, yes]) => (yes ? [client] : []));
  return names.length > 0 ? listed(names) : "none";
}
