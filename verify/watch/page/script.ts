/** The page's script, in plain JavaScript. Names come from the cluster, where any user may choose them: they become text, never markup. */
export const script = `
const byId = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const make = (name, className, text) => {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};
const draw = (name, attributes, text) => {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
};
const cut = (text, most) => text.length > most ? text.slice(0, most - 1) + "\\u2026" : text;

function row(cells) {
  const made = make("tr");
  for (const [head, text, className] of cells) {
    const cell = make("td", className, text);
    cell.dataset.head = head;
    made.append(cell);
  }
  return made;
}
function fill(id, rows, columns, none) {
  const empty = make("tr");
  const cell = make("td", "none", none);
  cell.colSpan = columns;
  empty.append(cell);
  byId(id).replaceChildren(...(rows.length > 0 ? rows : [empty]));
}

const ROW = 44, WIDE = 960, BOX = 250, MOST = 14;
function map(edges) {
  const columns = [new Map(), new Map(), new Map()];
  const put = (column, name, service) => {
    const all = columns[column];
    if (!all.has(name) && all.size < MOST) all.set(name, { y: all.size * ROW + 24, service });
    return all.get(name);
  };
  const lines = [];
  const link = (from, a, to, b, edge) => {
    if (a && b) lines.push({ x1: from * 355 + BOX, y1: a.y, x2: to * 355, y2: b.y, edge });
  };
  for (const edge of edges) {
    const [from, to] = [put(0, edge.from), put(1, edge.to, edge.service)];
    link(0, from, 1, to, edge);
    for (const backend of edge.backends) link(1, to, 2, put(2, backend), { opened: edge.opened, refused: 0 });
  }
  const height = Math.max(1, ...columns.map(({ size }) => size)) * ROW + 10;
  const drawing = draw("svg", { viewBox: "0 0 " + WIDE + " " + height, role: "img", "aria-label": "Service map: who talks to whom; the table below says the same" });
  for (const { x1, y1, x2, y2, edge } of lines) {
    const middle = (x1 + x2) / 2;
    drawing.append(draw("path", {
      d: "M" + x1 + " " + y1 + " C" + middle + " " + y1 + " " + middle + " " + y2 + " " + x2 + " " + y2,
      class: edge.refused > 0 ? "line refused" : "line", "stroke-width": String(Math.min(6, 1 + Math.log10(1 + edge.opened + edge.refused))),
    }));
  }
  columns.forEach((all, column) => {
    for (const [name, { y, service }] of all) {
      drawing.append(draw("rect", { x: column * 355, y: y - 16, width: BOX, height: 32, rx: service ? 16 : 5, class: service ? "box service" : "box" }));
      const label = draw("text", { x: column * 355 + 12, y: y + 5 }, cut(name, 32));
      label.append(draw("title", {}, name));
      drawing.append(label);
    }
  });
  byId("map").replaceChildren(drawing);
}

let last;
function show() {
  if (!last) return;
  const only = byId("only").checked;
  const wanted = ({ refused }) => !only || refused;
  byId("title").textContent = last.title;
  map(last.edges.filter(wanted));
  fill("edges", last.edges.filter(wanted).slice(0, 100).map((one) => row([
    ["From", one.from], ["To", one.to], ["Answered by", one.backends.join(", ") || "\\u2013"],
    ["Opened", String(one.opened), "number"], ["Refused", String(one.refused), one.refused > 0 ? "number refused" : "number"], ["Why", one.why ?? "\\u2013"],
  ])), 6, "Nothing yet.");
  fill("drops", last.drops.slice(0, 20).map((one) => row([
    ["Time", one.time], ["From", one.from], ["To", one.to], ["Why", one.why ?? "", "refused"], ["Nodes", one.nodes],
  ])), 5, "Nothing was refused.");
  fill("flows", last.flows.filter(wanted).map((one) => row([
    ["Time", one.time], ["Protocol", one.protocol], ["From", one.from], ["To", one.to + (one.backend ? " > " + one.backend : "")],
    ["Became", one.refused ? "refused" : one.why ? "logged" : "opened", one.refused ? "refused" : ""], ["Nodes", one.nodes],
  ])), 6, "Nothing yet.");
  byId("forgotten").textContent = last.forgotten > 0 ? last.forgotten + " pairs that were seen earlier have made room for later ones." : "";
}
// Who selects a text or has it read must not have it replaced meanwhile.
let held, told;
const isPaused = () => byId("pause").checked;
const state = (text, className) => {
  if (byId("state").textContent !== text) byId("state").textContent = text;
  byId("state").className = className;
};
const live = () => isPaused() ? state("paused", "") : state("live", "live");
byId("only").addEventListener("change", show);
byId("pause").addEventListener("change", () => {
  if (source.readyState === EventSource.OPEN) live();
  if (!isPaused() && held) take(held);
});
function take(data) {
  if (isPaused()) { held = data; return; }
  held = undefined;
  if (data === told) return;
  told = data;
  last = JSON.parse(data);
  show();
}
const source = new EventSource("events");
source.onopen = live;
source.onerror = () => state("not connected: does the command still run?", "refused");
source.onmessage = ({ data }) => take(data);
`;
