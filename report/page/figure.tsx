import type { ComponentChildren } from "preact";
import { draw, type PlotOptions, widths } from "./plots/draw.ts";

interface FigureProps {
  /** Unique in the page; names the parts of the drawing too. */
  id: string;
  title: string;
  caption: ComponentChildren;
  /** Text alternative of the drawing. */
  description: string;
  plot: (width: number) => PlotOptions;
  /** Whether it is alone in its row; otherwise two share one. */
  alone?: boolean;
  /** The same figures as a table. */
  table: ComponentChildren;
}

/** A plot with its caption and always its table. */
export function Figure({ id, title, caption, description, plot, alone, table }: FigureProps) {
  return (
    <figure id={id} data-plot={id}>
      <figcaption>
        <h3>{title}</h3>
        <p>{caption}</p>
      </figcaption>
      {drawings(alone).map(([size, width]) => (
        // Drawn twice, because text must not shrink with the screen; only one is ever displayed.
        <div
          class={size}
          dangerouslySetInnerHTML={{ __html: draw(plot(width), { id: `${id}-${size}`, title, description }) }}
        />
      ))}
      <details>
        <summary>The figures as a table</summary>
        {table}
      </details>
    </figure>
  );
}

function drawings(alone = false): ["wide" | "narrow", number][] {
  return [
    ["wide", alone ? widths.wide : widths.half],
    ["narrow", widths.narrow],
  ];
}
