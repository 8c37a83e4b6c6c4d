import type { Report } from "../../document.ts";
import { modeName } from "../../modes.ts";
import { Dated } from "../dated.tsx";
import { Figure } from "../figure.tsx";
import { scalePlot } from "../plots/scale.ts";
import { Section } from "../section.tsx";
import { Table } from "../table.tsx";
import { figure, listed, withSpread } from "../words.ts";

export function ScaleSection({ scale, environments }: Pick<Report, "scale" | "environments">) {
  if (!scale || scale.points.length === 0) return null;
  return (
    <Section id="scale" title="With ever more services">
      <p>{scale.verdict}</p>
      <Dated of="scale" environments={environments} />
      <div class="pair">
        <Against
          scale={scale}
          quantity="medianUs"
          title="New connection from a pod"
          caption="Median with its 95 % interval, to services spread evenly over age, against the number of services."
        />
        <Against
          scale={scale}
          quantity="programmingSeconds"
          title="Time to program one change"
          caption="From the API server's having one more service until a connection to it is answered; both axes are logarithmic."
        />
      </div>
    </Section>
  );
}

interface AgainstProps {
  scale: NonNullable<Report["scale"]>;
  quantity: "medianUs" | "programmingSeconds";
  title: string;
  caption: string;
}

function Against({ scale: { points }, quantity, title, caption }: AgainstProps) {
  const latency = quantity === "medianUs";
  const lines = [...Map.groupBy(points, ({ mode }) => mode)].map(([mode, of]) => {
    const [first, last] = [of[0], of.at(-1)].map(
      (point) => (latency ? point?.medianUs.value : point?.programmingSeconds) ?? 0,
    );
    return `${modeName(mode)} from ${figure(first ?? 0)} to ${figure(last ?? 0)} ${latency ? "µs" : "s"}`;
  });
  return (
    <Figure
      id={`scale-${latency ? "latency" : "programming"}`}
      title={title}
      caption={caption}
      description={`From the fewest to the most services: ${listed(lines)}.`}
      plot={(width) => scalePlot(points, quantity, width)}
      table={
        <Table
          caption={title}
          columns={[
            { head: "mode" },
            ...[
              "services",
              latency ? "median, µs (95 % interval)" : "seconds for one change",
              ...(latency ? [] : ["seconds to load all"]),
            ].map((head) => ({ head, number: true })),
          ]}
          rows={points.map(({ mode, services, medianUs, programmingSeconds, loadSeconds }) => [
            modeName(mode),
            figure(services, 0),
            latency ? withSpread(medianUs, 1) : figure(programmingSeconds),
            ...(latency ? [] : [figure(loadSeconds)]),
          ])}
        />
      }
    />
  );
}
