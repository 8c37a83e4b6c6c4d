import type { PacketPath, Report, Stretch } from "../../document.ts";
import { modeName } from "../../modes.ts";
import { inWords } from "../../path-in-words.ts";
import { PathFigure } from "../path-figure.tsx";
import { Section } from "../section.tsx";
import { Table } from "../table.tsx";
import { modeColour } from "../theme.ts";

export function Topology({ ways }: Pick<Report, "ways">) {
  if (ways.length === 0) return null;
  return (
    <Section id="topology" title="Paths of request and reply">
      <p class="note">
        One connection per mode, followed from machine to machine. Numbers are the order of its packets; the table below
        each drawing says what each stretch rests on. A machine that the reply passes by is drawn half as wide.
      </p>
      <ul class="key-of-lines">
        <li>
          <LineKey colour="var(--text)" /> request
        </li>
        <li>
          <LineKey colour="var(--link)" /> reply
        </li>
        <li>
          <LineKey colour="var(--text)" dashes="2 4" /> not captured
        </li>
      </ul>
      <div class={ways.length % 2 === 0 ? "ways even" : "ways"}>
        {ways.map((path, index) => (
          <PathCard path={path} id={`way-${index + 1}`} />
        ))}
      </div>
    </Section>
  );
}

function LineKey({ colour, dashes }: { colour: string; dashes?: string }) {
  return (
    <svg viewBox="0 0 32 12" aria-hidden="true">
      <line x1="0" y1="6" x2="32" y2="6" stroke={colour} stroke-width="2" stroke-dasharray={dashes} />
    </svg>
  );
}

function PathCard({ path, id }: { path: PacketPath; id: string }) {
  const title = modeName(path.mode);
  const words = inWords(path);
  return (
    <figure class="way" id={id} style={`--mode: ${modeColour(path.mode)}`}>
      <figcaption>
        <h3>{title}</h3>
        <p>{words}</p>
      </figcaption>
      <PathFigure
        path={path}
        id={`${id}-drawing`}
        title={`The path of request and reply: ${title}`}
        description={`${words} ${steps(path)}`}
      />
      <Elsewhere path={path} />
      <details>
        <summary>Each segment, and its evidence</summary>
        <Table
          caption={`${title}: ${path.client} to ${path.target}`}
          columns={["stretch", "source", "destination", "evidence"].map((head) => ({ head }))}
          rows={path.stretches.map((stretch, index) => [
            `${index + 1} ${stretch.direction}, ${stretch.from} → ${stretch.to}`,
            <code>{stretch.source ?? "not known"}</code>,
            <code>{stretch.destination ?? "not known"}</code>,
            evidence(stretch),
          ])}
          stack
        />
      </details>
    </figure>
  );
}

/** Rewrites without an observed place, which the drawing cannot show. */
function Elsewhere({ path: { rewrites } }: { path: PacketPath }) {
  const unplaced = rewrites.filter(({ at }) => at === undefined);
  if (unplaced.length === 0) return null;
  const words = unplaced.map(
    ({ direction, field, before, after }) => `${field} of the ${direction} from ${before} to ${after}`,
  );
  return <p class="note small">{`Rewritten on the path, at an unknown place: ${words.join("; ")}.`}</p>;
}

function evidence({ basis, wrapped }: Stretch): string {
  return wrapped ? `${basis}; inside VXLAN ${wrapped.source} → ${wrapped.destination}` : basis;
}

function steps({ stretches }: PacketPath): string {
  return stretches
    .map(
      ({ from, to, source, destination }, index) =>
        `${index + 1}: ${from} to ${to}, source ${source ?? "not known"}, destination ${destination ?? "not known"}.`,
    )
    .join(" ");
}
