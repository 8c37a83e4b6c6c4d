import type { Report, Stretch, Way } from "../../document.ts";
import { modeName } from "../../modes.ts";
import { inWords } from "../../path-in-words.ts";
import { WayFigure } from "../path-figure.tsx";
import { Absent, Section } from "../section.tsx";
import { Table } from "../table.tsx";
import { modeColour } from "../theme.ts";

export function Topology({ ways }: Pick<Report, "ways">) {
  return (
    <Section id="topology" title="The way of request and reply">
      <p class="note">
        One connection per mode, followed from machine to machine. Numbers are the order of its packets; the table below
        each drawing says what each stretch rests on. A machine that the reply passes by is drawn half as wide.
      </p>
      {ways.length === 0 ? (
        <Absent what="No connection was followed, so no way can be drawn" next="make up" />
      ) : (
        <>
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
            {ways.map((way, index) => (
              <WayCard way={way} id={`way-${index + 1}`} />
            ))}
          </div>
        </>
      )}
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

function WayCard({ way, id }: { way: Way; id: string }) {
  const title = modeName(way.mode);
  const words = inWords(way);
  return (
    <figure class="way" id={id} style={`--mode: ${modeColour(way.mode)}`}>
      <figcaption>
        <h3>{title}</h3>
        <p>{words}</p>
      </figcaption>
      <WayFigure
        way={way}
        id={`${id}-drawing`}
        title={`The way of request and reply: ${title}`}
        description={`${words} ${steps(way)}`}
      />
      <Elsewhere way={way} />
      <details>
        <summary>Each stretch, and what it rests on</summary>
        <Table
          caption={`${title}: ${way.client} to ${way.target}`}
          columns={["stretch", "source", "destination", "evidence"].map((head) => ({ head }))}
          rows={way.stretches.map((stretch, index) => [
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

/** What was changed where nobody looked, so that the drawing has no place for it. */
function Elsewhere({ way: { rewrites } }: { way: Way }) {
  const unplaced = rewrites.filter(({ at }) => at === undefined);
  if (unplaced.length === 0) return null;
  const words = unplaced.map(
    ({ direction, field, before, after }) => `${field} of the ${direction} from ${before} to ${after}`,
  );
  return <p class="note small">{`Rewritten on the way, nobody saw where: ${words.join("; ")}.`}</p>;
}

function evidence({ basis, wrapped }: Stretch): string {
  return wrapped ? `${basis}; inside VXLAN ${wrapped.source} → ${wrapped.destination}` : basis;
}

function steps({ stretches }: Way): string {
  return stretches
    .map(
      ({ from, to, source, destination }, index) =>
        `${index + 1}: ${from} to ${to}, source ${source ?? "not known"}, destination ${destination ?? "not known"}.`,
    )
    .join(" ");
}
