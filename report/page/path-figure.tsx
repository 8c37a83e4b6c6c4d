import type { PacketPath, Stretch } from "../document.ts";
import { type Arrow, type Box, drawingWidth, type Layout, lanes, layOut, lineHeight } from "./path-layout.ts";

const colour = { request: "var(--text)", reply: "var(--link)" } as const;

/** A monospaced line is as wide as it has letters: long addresses are set smaller instead of running into others. */
function fitted(text: string, room: number, size = 11): number {
  return Math.min(size, room / (text.length * 0.605));
}

function room(direction: Stretch["direction"]): number {
  return direction === "request" ? lanes.reply.line - lanes.request.text - 14 : drawingWidth - lanes.reply.text - 12;
}

/** The drawing of a path: request down on the left, reply up on the right. */
export function PathFigure({
  path,
  id,
  title,
  description,
}: {
  path: PacketPath;
  id: string;
  title: string;
  description: string;
}) {
  const layout = layOut(path);
  return (
    <svg
      viewBox={`0 0 ${drawingWidth} ${layout.height}`}
      role="img"
      aria-labelledby={`${id}-title ${id}-desc`}
      data-path={id}
    >
      <title id={`${id}-title`}>{title}</title>
      <desc id={`${id}-desc`}>{description}</desc>
      {layout.boxes.map((box) => (
        <BoxDrawing box={box} />
      ))}
      {layout.arrows.map((arrow) => (
        <ArrowDrawing arrow={arrow} />
      ))}
      {path.served ? null : <NoAnswer layout={layout} />}
    </svg>
  );
}

function BoxDrawing({ box: { place, x, y, width, height, rewrites } }: { box: Box }) {
  const pod = place.role === "pod";
  const name = pod ? shortPod(place.name) : place.name;
  return (
    <g>
      <rect
        x={x}
        y={y}
        width={width}
        height={height}
        rx={pod ? 18 : 8}
        fill={pod ? "var(--background)" : "var(--surface)"}
        stroke="var(--muted)"
        stroke-width={pod ? 1.5 : 1}
      />
      <text
        x={x + (pod ? width / 2 : 12)}
        y={y + 21}
        text-anchor={pod ? "middle" : "start"}
        font-size={Math.min(13, (width - 24) / (name.length * 0.6))}
        font-weight="600"
        fill="var(--text)"
      >
        {name}
      </text>
      <text
        class="mono"
        x={x + (pod ? width / 2 : 12)}
        y={y + 37}
        text-anchor={pod ? "middle" : "start"}
        font-size={fitted(subtitle(place), width - 24)}
        fill="var(--muted)"
      >
        {subtitle(place)}
      </text>
      {(["request", "reply"] as const).map((direction) =>
        rewrites
          .filter((each) => each.direction === direction)
          .map(({ field, after }, index) => {
            const top = y + 56 + index * 2 * lineHeight;
            const left = direction === "request" ? x + 12 : lanes.reply.text - 16;
            // The client's address is lost exactly where the source of a request is rewritten.
            const fill = direction === "request" && field === "source" ? "var(--fail)" : "var(--warn)";
            const words = `→ ${after}`;
            return (
              <text font-size="11" fill={fill}>
                <tspan x={left} y={top} font-weight="600">
                  {`${direction === "request" && field === "source" ? "✕ " : ""}rewrites ${field}`}
                </tspan>
                <tspan class="mono" x={left} y={top + lineHeight - 1} font-size={fitted(words, room(direction) + 14)}>
                  {words}
                </tspan>
              </text>
            );
          }),
      )}
    </g>
  );
}

const roles = { client: "client", entryNode: "entry node", node: "node", pod: "pod" } as const;

function subtitle({ role, address }: Box["place"]): string {
  return address ? `${roles[role]} ${address}` : roles[role];
}

/** A drawing omits the namespace and the template's hash; the table has the full name. */
function shortPod(name: string): string {
  return name.replace(/^[^/]*\//, "");
}

function ArrowDrawing({ arrow: { stretch, number, y1, y2, labelY, lines } }: { arrow: Arrow }) {
  const { direction } = stretch;
  const { line, text } = lanes[direction];
  const unknown = !stretch.source && !stretch.destination;
  const head = direction === "request" ? -7 : 7;
  return (
    <g>
      <line
        x1={line}
        y1={y1 + (direction === "request" ? 2 : -2)}
        x2={line}
        y2={y2 + head}
        stroke={colour[direction]}
        stroke-width="2"
        stroke-dasharray={unknown ? "2 4" : undefined}
      />
      <path d={`M${line - 4.5},${y2 + head} L${line + 4.5},${y2 + head} L${line},${y2} Z`} fill={colour[direction]} />
      <circle
        cx={line}
        cy={(y1 + y2) / 2}
        r="8.5"
        fill="var(--background)"
        stroke={colour[direction]}
        stroke-width="1.5"
      />
      <text
        x={line}
        y={(y1 + y2) / 2 + 3.8}
        text-anchor="middle"
        font-size="10.5"
        font-weight="600"
        fill={colour[direction]}
      >
        {number}
      </text>
      {lines.map(({ words, muted }, index) => (
        <text
          class="mono"
          x={text}
          y={labelY + index * lineHeight}
          font-size={fitted(words, room(direction))}
          fill={muted ? "var(--muted)" : "var(--text)"}
          data-label={number}
        >
          {words}
        </text>
      ))}
    </g>
  );
}

function NoAnswer({ layout }: { layout: Layout }) {
  const last = layout.arrows.at(-1);
  if (!last) return null;
  return (
    <text x={lanes.reply.text} y={last.y2 - 8} font-size="12" font-weight="600" fill="var(--fail)">
      ✕ no answer
    </text>
  );
}
