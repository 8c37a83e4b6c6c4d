import { createHash } from "node:crypto";
import { renderToString } from "preact-render-to-string";
import type { Report } from "../document.ts";
import { script } from "./script.ts";
import { WhereTheTimeGoes } from "./sections/cost.tsx";
import { EnvironmentSection } from "./sections/environment.tsx";
import { Latency } from "./sections/latency.tsx";
import { LoggedSources } from "./sections/logged.tsx";
import { NotMeasured } from "./sections/not-measured.tsx";
import { ScaleSection } from "./sections/scale.tsx";
import { ThroughputSection } from "./sections/throughput.tsx";
import { Topology } from "./sections/topology.tsx";
import { TruthTable } from "./sections/truth-table.tsx";
import { VerdictSection } from "./sections/verdict.tsx";
import { style } from "./style.ts";
import { moment } from "./words.ts";

/** The chapters, each with its name in the navigation. Those without a result are not there: the last one lists them. */
const chapters = [
  ["topology", "Way", Topology],
  ["truth", "Truth table", TruthTable],
  ["logged", "Log", LoggedSources],
  ["latency", "Latency", Latency],
  ["scale", "Scale", ScaleSection],
  ["throughput", "Throughput", ThroughputSection],
  ["cost", "Cost", WhereTheTimeGoes],
  ["environment", "Repeat it", EnvironmentSection],
  ["not-measured", "Not known", NotMeasured],
] as const;

/** The report as one self-contained HTML file. */
export function renderReport(report: Report): string {
  return `<!doctype html>\n${renderToString(<Page report={report} />)}\n`;
}

function Page({ report }: { report: Report }) {
  const shown = chapters.flatMap(([id, name, chapter]) => {
    const content = chapter(report);
    return content ? [{ id, name, content }] : [];
  });
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content={policy()} />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="generator" content="ebpf-dataplane" />
        <title>{`Source IP report, ${moment(report.writtenAt)}`}</title>
        <link rel="icon" href="data:," />
        <style dangerouslySetInnerHTML={{ __html: style }} />
      </head>
      <body>
        <a class="skip" href="#verdict-heading">
          Skip to the verdict
        </a>
        <header>
          <div class="bar">
            <b>ebpf-dataplane report</b>
            <nav aria-label="Chapters">
              <ul>
                {shown.map(({ id, name }) => (
                  <li>
                    <a href={`#${id}`}>{name}</a>
                  </li>
                ))}
              </ul>
            </nav>
            <button type="button" id="theme" aria-pressed="false" hidden>
              Dark
            </button>
          </div>
        </header>
        <main>
          <VerdictSection report={report} />
          {shown.map(({ content }) => content)}
        </main>
        <footer>{`Written ${moment(report.writtenAt)}; the same as data: report.json beside this file.`}</footer>
        <script dangerouslySetInnerHTML={{ __html: script }} />
      </body>
    </html>
  );
}

/** Nothing is fetched, and no script runs but the page's own, whatever a name in the report may contain. */
function policy(): string {
  const hash = createHash("sha256").update(script).digest("base64");
  return `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
}
