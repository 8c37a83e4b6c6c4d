import { createHash } from "node:crypto";
import { script } from "./script.ts";

const style = `
:root { color-scheme: light dark; --background: light-dark(#ffffff, #10141a); --surface: light-dark(#f6f7f9, #181e26); --text: light-dark(#1a1f26, #e6eaf0); --muted: light-dark(#566070, #9ba7b6);
  --line: light-dark(#d9dee5, #303946); --link: light-dark(#1d5fc2, #7fb2ff); --pass: light-dark(#136c3a, #58cf8b); --fail: light-dark(#b3261e, #ff8f84); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--background); color: var(--text); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
header, main { max-width: 74rem; margin: 0 auto; padding: 0 1.5rem; }
header { padding-top: 1.25rem; } h1 { font-size: 1.35rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2.25rem 0 .5rem; }
#title { color: var(--muted); margin: .25rem 0; overflow-wrap: anywhere; } .bar { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; align-items: center; }
.live { color: var(--pass); } .refused { color: var(--fail); font-weight: 600; } .none, #forgotten { color: var(--muted); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
svg { display: block; width: 100%; height: auto; } svg text { font-size: 13px; fill: var(--text); }
.line { fill: none; stroke: var(--muted); opacity: .7; } .line.refused { stroke: var(--fail); opacity: 1; } .box { fill: var(--surface); stroke: var(--line); } .box.service { stroke: var(--link); }
table { border-collapse: collapse; width: 100%; font-size: .875rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--muted); padding: .2rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .9rem .35rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; } thead th { color: var(--muted); font-weight: 500; } th.number, .number { text-align: right; }
@media (max-width: 44rem) {
  header, main { padding-left: 1rem; padding-right: 1rem; } #map { display: none; }
  thead { position: absolute; clip-path: inset(50%); } table, caption, tbody, tr, td { display: block; border: 0; padding: .1rem 0; } .number { text-align: left; }
  tr { border-bottom: 1px solid var(--line); padding: .5rem 0; } td[data-head]::before { content: attr(data-head) ": "; color: var(--muted); font-weight: 400; }
}
`;

const NUMBERS = ["Opened", "Refused"];
const table = (id: string, caption: string, heads: readonly string[]) =>
  `<table><caption>${caption}</caption><thead><tr>${heads.map((head) => `<th scope="col"${NUMBERS.includes(head) ? ' class="number"' : ""}>${head}</th>`).join("")}</tr></thead><tbody id="${id}"></tbody></table>`;

/** The page without any content: what it shows comes as events. */
export const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>ebpf-dataplane watch</title>
<link rel="icon" href="data:,"><style>${style}</style></head>
<body><header><h1>ebpf-dataplane watch</h1><p id="title">Reading the cluster …</p>
<p class="bar"><span id="state" role="status">connecting</span> <label><input type="checkbox" id="only"> only refused</label> <label><input type="checkbox" id="pause"> pause</label></p></header>
<main><section aria-labelledby="map-heading"><h2 id="map-heading">Service map</h2><div id="map"></div>
${table("edges", "Who talks to whom since the start, by workload", ["From", "To", "Answered by", "Opened", "Refused", "Why"])}<p id="forgotten"></p></section>
<section aria-labelledby="drops-heading"><h2 id="drops-heading">Refused</h2>${table("drops", "The last 20", ["Time", "From", "To", "Why", "Nodes"])}</section>
<section aria-labelledby="flows-heading"><h2 id="flows-heading">Flows</h2>${table("flows", "The last 100", ["Time", "Protocol", "From", "To", "Became", "Nodes"])}</section>
</main><script>${script}</script></body></html>
`;

const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** Only the page's own script and style, and only its own server. */
export const policy = [
  "default-src 'none'",
  "img-src data:",
  `style-src ${hash(style)}`,
  `script-src ${hash(script)}`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");
