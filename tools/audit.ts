// `make audit`: reports known vulnerabilities in the npm packages of the lock files. Asks the registry that npm is configured for.
// If the registry does not answer such requests, prints SKIP with the reason, because the result is unknown.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

/** A known vulnerability of this severity or above is a failure. */
const GRAVE = ["high", "critical"];

export type Finding = { result: "passed" | "failed" | "skipped"; lines: string[] };

interface Report {
  vulnerabilities?: Record<
    string,
    { name: string; severity: string; range: string; via: (string | { title: string })[] }
  >;
  error?: { summary?: string; detail?: string; code?: string };
  message?: string;
}

/** @param answer of `npm audit --json` */
export function findingOf(answer: string): Finding {
  let report: Report;
  try {
    report = JSON.parse(answer);
  } catch {
    return {
      result: "skipped",
      lines: [`npm audit gave no report: ${answer.trim().slice(0, 200) || "no output"}`],
    };
  }
  if (!report.vulnerabilities) {
    const { summary, detail, code } = report.error ?? {};
    const why = summary || detail || report.message || code || "no list";
    return { result: "skipped", lines: [`the registry does not report known vulnerabilities: ${why}`] };
  }
  const found = Object.values(report.vulnerabilities);
  const lines = found.map(({ name, range, severity, via }) => {
    const titles = via.map((each) => (typeof each === "string" ? `by ${each}` : each.title));
    return `${severity}: ${name} ${range}: ${titles.join("; ")}`;
  });
  const grave = found.some(({ severity }) => GRAVE.includes(severity));
  return { result: grave ? "failed" : "passed", lines };
}

function main(): void {
  const root = join(import.meta.dirname, "..");
  for (const folder of [".", "tools/node"]) {
    const words = ["audit", "--json", "--package-lock-only"];
    const { stdout, error } = spawnSync("npm", words, { cwd: join(root, folder), encoding: "utf8", timeout: 120_000 });
    const { result, lines } = error ? findingOf(error.message) : findingOf(stdout);
    const word = { passed: "no severe vulnerability is known in", failed: "FAIL", skipped: "SKIP" }[result];
    process.stdout.write([`${word} ${join(folder, "package-lock.json")}`, ...lines].join("\n  ").concat("\n"));
    if (result === "failed") process.exitCode = 1;
  }
}

if (import.meta.main) main();
