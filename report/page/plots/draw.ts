import { type PlotOptions as Options, plot } from "@observablehq/plot";
import { parseHTML } from "linkedom";

export type PlotOptions = Options;

/** Widths of the drawings, pixels: text keeps its size on a desk and on a telephone. */
export const widths = { wide: 1120, half: 530, narrow: 340 };

interface Naming {
  id: string;
  title: string;
  description: string;
}

/** Draws without a browser. @returns one `<svg>`, escaped, with a title and a description */
export function draw(options: Options, { id, title, description }: Naming): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const drawing = plot({ ...options, document, className: "plot" }) as unknown as Element;
  const svg = drawing.tagName.toLowerCase() === "svg" ? drawing : drawing.querySelector("svg:last-of-type");
  if (!svg) throw new Error(`plot ${id}: nothing was drawn`);
  svg.querySelector("style")?.remove();
  const name = (tag: string, text: string) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    element.id = `${id}-${tag}`;
    element.textContent = text;
    return element;
  };
  svg.prepend(name("title", title), name("desc", description));
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-labelledby", `${id}-title ${id}-desc`);
  for (const attribute of ["width", "height", "font-family"]) svg.removeAttribute(attribute);
  for (const element of [svg, ...svg.querySelectorAll("*")]) tidy(element, id);
  return svg.outerHTML;
}

/** Two decimals are finer than any screen, labels inside an image name nothing, and ids are the page's. */
function tidy(element: Element, id: string): void {
  const within = element.tagName.toLowerCase() !== "svg" && !["title", "desc"].includes(element.tagName.toLowerCase());
  for (const { name, value } of [...element.attributes]) {
    if (within && name.startsWith("aria-")) element.removeAttribute(name);
    else if (name === "id" && within) element.setAttribute(name, `${id}-${value}`);
    else if (value.startsWith("url(#")) element.setAttribute(name, value.replace("url(#", `url(#${id}-`));
    else if (/^(d|transform|points|x|y|x1|x2|y1|y2|width|height|cx|cy|r)$/.test(name))
      element.setAttribute(
        name,
        value.replace(/-?\d+\.\d{3,}/g, (number) => String(Number(Number(number).toFixed(2)))),
      );
  }
}

/** What all drawings have in common. */
export const calm = { style: { background: "none", fontSize: "12px" }, insetTop: 4 } as const;
