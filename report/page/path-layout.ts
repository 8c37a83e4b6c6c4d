import type { PacketPath, Rewrite, Stretch } from "../document.ts";
import type { Place } from "../results/topology.ts";

/** Requests go down on the left, replies come up on the right; a machine that one of them passes by is half as wide. */
export const lanes = { request: { line: 24, text: 40 }, reply: { line: 200, text: 216 } } as const;
export const drawingWidth = 372;
const edge = 8;
export const lineHeight = 15;
const half = 184;

export interface Box {
  place: Place;
  x: number;
  y: number;
  width: number;
  height: number;
  rewrites: Rewrite[];
}

export interface Arrow {
  stretch: Stretch;
  /** Its place in the list of stretches, from 1. */
  number: number;
  y1: number;
  y2: number;
  /** Where the label begins. */
  labelY: number;
  lines: LabelLine[];
}

/** A line beside an arrow; muted: less than the packet's own addresses. */
export interface LabelLine {
  words: string;
  muted?: boolean;
}

export interface Layout {
  height: number;
  boxes: Box[];
  arrows: Arrow[];
}

/** The layout of a path, in the drawing's own units. */
export function layOut({ places, stretches, rewrites }: PacketPath): Layout {
  const pod = places.find(({ role }) => role === "pod");
  const levels = places.filter(({ role }) => role !== "pod");
  const visits = ({ name }: Place, direction: Stretch["direction"]) =>
    stretches.some((each) => each.direction === direction && (each.from === name || each.to === name));
  const hasReply = stretches.some(({ direction }) => direction === "reply");

  const boxes: Box[] = [];
  let y = edge;
  for (const [index, place] of levels.entries()) {
    const left = visits(place, "request");
    const right = visits(place, "reply") || !hasReply;
    const own = rewrites.filter(({ at }) => at === place.name);
    const x = left ? edge : drawingWidth - half;
    const holdsPod = pod !== undefined && pod.on === place.name;
    const header = 46 + rewriteHeight(own);
    const gap = holdsPod ? gapBelow(stretches, place.name, pod.name) + 2 : 0;
    const height = header + (holdsPod ? gap + 50 + 12 : 4);
    boxes.push({ place, x, y, width: left && right ? drawingWidth - 2 * edge : half - edge, height, rewrites: own });
    if (holdsPod) {
      const podY = y + header + gap;
      boxes.push({ place: pod, x: edge + 10, y: podY, width: drawingWidth - 2 * edge - 20, height: 50, rewrites: [] });
    }
    const next = levels[index + 1];
    y += height + (next ? gapBelow(stretches, place.name, next.name) : edge);
  }
  const byName = new Map(boxes.map((box) => [box.place.name, box]));
  const arrows = stretches.flatMap((stretch, index) => arrowOf(stretch, index + 1, byName) ?? []);
  return { height: y, boxes, arrows };
}

function rewriteHeight(rewrites: Rewrite[]): number {
  const count = (direction: Stretch["direction"]) => rewrites.filter((each) => each.direction === direction).length;
  return Math.max(count("request"), count("reply")) * 2 * lineHeight;
}

function gapBelow(stretches: Stretch[], upper: string, lower: string): number {
  const between = stretches.filter(
    ({ from, to }) => (from === upper && to === lower) || (from === lower && to === upper),
  );
  return Math.max(2, ...between.map((stretch) => labelOf(stretch).length)) * lineHeight + 30;
}

function arrowOf(stretch: Stretch, number: number, boxes: Map<string, Box>): Arrow | undefined {
  const [from, to] = [boxes.get(stretch.from), boxes.get(stretch.to)];
  if (!from || !to) return undefined;
  const inside = to.place.on === from.place.name || from.place.on === to.place.name;
  const host = inside ? (to.place.role === "pod" ? from : to) : undefined;
  const top = host ? host.y + 48 + rewriteHeight(host.rewrites) : Math.min(from.y + from.height, to.y + to.height);
  const bottom = host ? (from.place.role === "pod" ? from : to).y : Math.max(from.y, to.y);
  const lines = labelOf(stretch);
  const labelY = (top + bottom) / 2 - ((lines.length - 1) * lineHeight) / 2 + 4;
  const [y1, y2] = stretch.direction === "request" ? [top, bottom] : [bottom, top];
  return { stretch, number, y1, y2, labelY, lines };
}

/** The label of an arrow: the packet's addresses, and the outer ones. */
function labelOf({ source, destination, wrapped }: Stretch): LabelLine[] {
  const outer = wrapped ? [`in VXLAN ${wrapped.source}`, `→ ${wrapped.destination}`] : [];
  return [
    ...(source ? [{ words: `src ${source}` }] : []),
    ...(destination ? [{ words: `dst ${destination}` }] : []),
    ...outer.map((words) => ({ words, muted: true })),
    ...(!source && !destination ? [{ words: "not captured", muted: true }] : []),
  ];
}
