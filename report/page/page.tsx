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

const chapters = [
  ["topology", "Way"],
  ["truth", "Truth table"],
  ["logged", "Log"],
  ["latency", "Latency"],
  ["scale", "Scale"],
  ["throughput", "Throughput"],
  ["cost", "Cost"],
  ["environment", "Repeat it"],
  ["not-measured", "Not known"],
] as const;

/** The report as one self-contained HTML file. */
export function renderReport(report: Report): string {
  return `<!doctype html>\n${renderToString(<Page report={report} />)}\n`;
}

function Page({ report }: { report: Report }) {
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
                {chapters.map(([id, name]) => (
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
          <Topology ways={report.ways} />
          <TruthTable verification={report.verification} compare={report.compare} />
          <LoggedSources logged={report.logged} compare={report.compare} />
          <Latency compare={report.compare} seed={report.seed} environments={report.environments} />
          <ScaleSection scale={report.scale} environments={report.environments} />
          <ThroughputSection throughput={report.throughput} environments={report.environments} />
          <WhereTheTimeGoes compare={report.compare} />
          <EnvironmentSection {...report} />
          <NotMeasured notMeasured={report.notMeasured} />
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
