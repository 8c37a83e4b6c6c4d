import { renderToString } from "preact-render-to-string";
import type { PacketPath } from "../../report/document.ts";
import { PathFigure } from "../../report/page/path-figure.tsx";
import { drawingWidth, layOut } from "../../report/page/path-layout.ts";
import { declarations, themes } from "../../report/page/theme.ts";
import { inWords } from "../../report/path-in-words.ts";
import type { Preview } from "../document.ts";
import { pathTitle } from "../print/path.ts";
import { networkOutline } from "../print/sections.ts";

const margin = 24;
const line = 17;
/** Characters per column, at the size of the captions. */
const letters = 56;

/** The report's colours and fonts, inside the file: it is self-contained, and follows the reader's light or dark mode. */
const style = `
svg { ${declarations(themes.light)} background: var(--background); font-family: system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
@media (prefers-color-scheme: dark) { svg { ${declarations(themes.dark)} } }
.mono { font-family: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
`;

/** Packet paths and machines, as one SVG file; the report's code draws the paths. */
export function previewSvg(preview: Preview): string {
  return `${renderToString(<Picture preview={preview} />)}\n`;
}

function Picture({ preview }: { preview: Preview }) {
  const { ways, project, stack } = preview;
  const columns = ways.map((path) => ({ path, caption: wrapped(inWords(path), letters), height: layOut(path).height }));
  const width = Math.max(1, columns.length) * (drawingWidth + margin) + margin;
  const captionLines = Math.max(0, ...columns.map(({ caption }) => caption.length));
  const top = margin + 22 + margin;
  const drawingTop = top + line * (captionLines + 1) + 8;
  const notesTop = drawingTop + Math.max(0, ...columns.map(({ height }) => height)) + (columns.length > 0 ? margin : 0);
  const notes = networkOutline(preview).lines.flatMap((text) => wrapped(text, Math.floor((width - 2 * margin) / 6.4)));
  const height = notesTop + notes.length * line + margin;
  const title = `Stack ${stack} of ${project}, as declared`;
  return (
    <svg
      xmlns="http://www.w3.org/2000/svg"
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
      role="img"
      aria-label={title}
    >
      <style dangerouslySetInnerHTML={{ __html: style }} />
      <rect width={width} height={height} fill="var(--background)" />
      <text x={margin} y={margin + 14} font-size="16" font-weight="600" fill="var(--text)">
        {title}
      </text>
      {columns.map(({ path, caption, height: drawn }, index) => (
        <g transform={`translate(${margin + index * (drawingWidth + margin)} 0)`}>
          <Caption path={path} caption={caption} y={top} />
          <svg y={drawingTop} width={drawingWidth} height={drawn} role="img" aria-label={pathTitle(path)}>
            <PathFigure path={path} id={`way-${index + 1}`} title={pathTitle(path)} description={inWords(path)} />
          </svg>
        </g>
      ))}
      {notes.map((text, index) => (
        <text x={margin} y={notesTop + (index + 1) * line - 5} font-size="12" fill="var(--muted)">
          {text}
        </text>
      ))}
    </svg>
  );
}

function Caption({ path, caption, y }: { path: PacketPath; caption: string[]; y: number }) {
  return (
    <>
      <text x="0" y={y} font-size="13" font-weight="600" fill="var(--text)">
        {pathTitle(path)}
      </text>
      {caption.map((text, index) => (
        <text x="0" y={y + (index + 1) * line} font-size="12" fill="var(--muted)">
          {text}
        </text>
      ))}
    </>
  );
}

/** Wraps text at a number of characters, between words. */
function wrapped(text: string, most: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= most) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
