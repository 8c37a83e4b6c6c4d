import { declarations, themes } from "./theme.ts";

const dark = `color-scheme: dark; ${declarations(themes.dark)}`;
const light = `color-scheme: light; ${declarations(themes.light)}`;

/** A table whose rows are blocks, for where there is little room. */
const stacked = `  table.stack thead { position: absolute; clip-path: inset(50%); }
  table.stack, table.stack caption, table.stack tbody, table.stack tr, table.stack th, table.stack td { display: block; border: 0; padding-right: 0; }
  table.stack tr { border-bottom: 1px solid var(--line); padding: .5rem 0; }
  table.stack th, table.stack td { padding: .1rem 0; overflow-wrap: anywhere; } table.stack td code, table.stack th code { white-space: normal; }
  table.stack td[data-head]::before { content: attr(data-head) ": "; color: var(--muted); }
`;

/** The page's style sheet. Widths in rem, so that a reader's font size counts. */
export const style = `
:root { ${light} --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
@media (prefers-color-scheme: dark) { :root:not([data-theme="light"]) { ${dark} } }
:root[data-theme="dark"] { ${dark} }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--background); color: var(--text); font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
.skip { position: absolute; left: 1rem; top: -4rem; z-index: 1; padding: .5rem 1rem; background: var(--background); border: 2px solid var(--link); border-radius: 6px; }
.skip:focus { top: 1rem; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 3px; }
a { color: var(--link); text-underline-offset: .15em; }
header, main, footer { max-width: 74rem; margin: 0 auto; padding: 0 1.5rem; }
.bar { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 1.25rem; padding: 1rem 0; border-bottom: 1px solid var(--line); font-size: .875rem; }
.bar b { margin-right: auto; }
.bar nav ul { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; list-style: none; margin: 0; padding: 0; }
.bar a { text-decoration: none; color: var(--muted); } .bar a:hover { color: var(--link); text-decoration: underline; }
button { font: inherit; color: var(--text); background: var(--surface); border: 1px solid var(--muted); border-radius: 6px; padding: .2rem .7rem; cursor: pointer; }
.eyebrow { margin: 2.5rem 0 .6rem; font-size: .875rem; font-weight: 600; }
h1 { font-size: clamp(1.35rem, 1rem + 1.7vw, 2.05rem); line-height: 1.28; letter-spacing: -.012em; margin: 0 0 .75rem; max-width: 34em; text-wrap: pretty; overflow-wrap: anywhere; }
.lede { font-size: 1.1rem; color: var(--muted); max-width: 48rem; margin: 0 0 1rem; }
.keys { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 12.5rem), 1fr)); gap: 1px; background: var(--line); border: 1px solid var(--line); border-radius: 8px; overflow: hidden; margin: 1.75rem 0 0; }
.keys div { background: var(--background); padding: .85rem 1.1rem; }
.keys dt { font-size: .8125rem; color: var(--muted); } .keys dd { margin: 0; }
.keys .value { font-size: 1.5rem; font-weight: 600; letter-spacing: -.02em; font-variant-numeric: tabular-nums; display: block; line-height: 1.35; }
.keys .spread { font-size: .8125rem; color: var(--muted); }
section { margin: 3.5rem 0 0; } section > p { max-width: 46rem; }
h2 { font-size: 1.35rem; letter-spacing: -.01em; line-height: 1.3; margin: 0 0 .4rem; } h3 { font-size: 1rem; margin: 0 0 .2rem; }
.note { color: var(--muted); } .small { font-size: .875rem; }
.stamp { display: inline-block; border: 1px solid var(--warn); color: var(--warn); border-radius: 4px; padding: 0 .4rem; font-size: .8125rem; }
.pass { color: var(--pass); font-weight: 600; } .fail { color: var(--fail); font-weight: 600; } .open { color: var(--warn); font-weight: 600; }
figure { margin: 1.75rem 0 0; min-width: 0; } figcaption { max-width: 46rem; margin-bottom: .75rem; } figcaption p { margin: 0; color: var(--muted); font-size: .9375rem; }
svg { display: block; width: 100%; height: auto; overflow: visible; } svg text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; } svg .mono { font-family: var(--mono); }
.plot text { white-space: pre; }
.narrow { display: none; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); gap: 0 2.5rem; }
.ways { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1.5rem; margin-top: 1.5rem; }
.ways.even { grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); } .way > svg { max-width: 25rem; margin: 0 auto; }
.way { container-type: inline-size; border: 1px solid var(--line); border-radius: 10px; padding: 1.1rem; margin: 0; display: flex; flex-direction: column; }
.way h3 { display: flex; align-items: center; gap: .5rem; } .way h3::before { content: ""; width: .7rem; height: .7rem; border-radius: 2px; background: var(--mode); flex: none; }
.way figcaption { min-height: 4.6rem; } .even figcaption { min-height: 3.2rem; } .way .scroll + .scroll { margin-top: 1.5rem; } details h3 { font-size: .875rem; font-weight: 500; color: var(--muted); margin-top: .8rem; } details h3 + pre { margin-top: .25rem; }
details { margin-top: auto; }
.key-of-lines { display: flex; flex-wrap: wrap; gap: .2rem 1.5rem; list-style: none; padding: 0; margin: 1rem 0 0; font-size: .875rem; color: var(--muted); }
.key-of-lines svg { display: inline-block; width: 2rem; height: .75rem; vertical-align: middle; margin-right: .4rem; }
.part { margin-right: 1rem; white-space: nowrap; } .part::before { content: ""; display: inline-block; width: .7rem; height: .7rem; border-radius: 2px; background: var(--part); margin-right: .4rem; }
.absent { color: var(--muted); border-left: 3px solid var(--line); padding-left: .9rem; }
.failure { border-left: 3px solid var(--fail); padding-left: 1rem; margin-top: 1.5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--muted); padding: .4rem 0; }
th, td { text-align: left; vertical-align: top; padding: .45rem .9rem .45rem 0; border-bottom: 1px solid var(--line); } th { font-weight: 600; } thead th { color: var(--muted); font-weight: 500; }
tbody.group th[colspan] { padding-top: 1.1rem; color: var(--muted); }
.number { text-align: right; white-space: nowrap; } td code, th code { white-space: nowrap; }
.scroll + .scroll { margin-top: 1.5rem; } details h3 { font-size: .875rem; font-weight: 500; color: var(--muted); margin-top: .8rem; } details h3 + pre { margin-top: .25rem; }
details { margin-top: .75rem; } summary { cursor: pointer; color: var(--link); font-size: .875rem; width: fit-content; }
code, pre { font-family: var(--mono); font-size: .8125rem; } p code { font-size: .875em; }
pre { background: var(--surface); border-radius: 6px; padding: .75rem 1rem; margin: .5rem 0; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.5; }
ul.plain { padding-left: 1.2rem; max-width: 46rem; } ul.plain li { margin: .45rem 0; }
footer { color: var(--muted); font-size: .875rem; padding-top: 2rem; padding-bottom: 3rem; margin-top: 3.5rem; }
@media (max-width: 44rem) {
  header, main, footer { padding-left: 1rem; padding-right: 1rem; }
  .wide { display: none; } .narrow { display: block; }
  .way { padding: .8rem; }
  .bar b { width: 60%; } .bar nav { order: 3; width: 100%; }
}
@media (max-width: 40rem) {
${stacked}}
@container (max-width: 34rem) {
${stacked}}
@media print {
  :root, :root[data-theme] { ${light} }
  @page { margin: 14mm; }
  * { print-color-adjust: exact; } body { font-size: 9.5pt; } header, main, footer { max-width: none; padding: 0; }
  .bar nav, .bar button, .skip { display: none; }
  section { margin-top: 1.6rem; } .wide, .way > svg, tr, .keys, pre, h2, h3 { break-inside: avoid; } h2, h3, figcaption { break-after: avoid; }
  .ways { grid-template-columns: 1fr 1fr; } .pair { display: block; } .pair svg { max-width: 12cm; } td code, .number { white-space: normal; } .way { padding: .7rem; }
  details::details-content { content-visibility: visible; display: block; } summary { display: none; } .scroll { overflow: visible; }
  table { font-size: 8pt; } a { color: inherit; text-decoration: none; }
}
`;
