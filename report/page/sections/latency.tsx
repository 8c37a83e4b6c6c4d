import type { Report } from "../../document.ts";
import { modeName } from "../../modes.ts";
import type { Comparison } from "../../results/compare.ts";
import { Dated } from "../dated.tsx";
import { Figure } from "../figure.tsx";
import { axisEnd, latencyPlot } from "../plots/latency.ts";
import { ratiosPlot } from "../plots/ratios.ts";
import { Section } from "../section.tsx";
import { Table } from "../table.tsx";
import { figure, listed, quantityName, withSpread } from "../words.ts";

export function Latency({ compare, seed, environments }: Pick<Report, "compare" | "seed" | "environments">) {
  if (!compare) return null;
  return (
    <Section id="latency" title="What a new connection takes">
      <p>{compare.verdict}</p>
      <Dated of="compare" environments={environments} />
      <Distribution compare={compare} />
      <KeptRequests compare={compare} />
      <Ratios compare={compare} seed={seed} />
    </Section>
  );
}

function Distribution({ compare }: { compare: Comparison }) {
  const modes = compare.modes.filter(({ histogramUs }) => histogramUs.length > 0);
  if (modes.length === 0) return <p class="absent">No mode has a distribution of connection times.</p>;
  const all = modes.reduce((sum, { connections }) => sum + connections, 0);
  const medians = modes.map(({ mode, medianUs }) => `${modeName(mode)} ${figure(medianUs)} µs`);
  return (
    <Figure
      id="latency-distribution"
      title="Distribution of connection times"
      caption={`${figure(all, 0)} new connections of ${compare.client} to ${compare.target} in interleaved rounds: connect, GET, answer, close. The line is the median. Times above ${figure(axisEnd(modes))} µs are left out of the drawing, not of the table.`}
      description={`Medians: ${listed(medians)}.`}
      alone
      plot={(width) => latencyPlot(modes, width)}
      table={
        <Table
          caption="Connection times, microseconds; the interval is 95 %, by bootstrap over rounds"
          columns={[
            { head: "mode" },
            ...[
              "mean",
              "10th percentile",
              "median",
              "median of rounds",
              "90th",
              "99th",
              "connections",
              "rounds",
              "set aside",
            ].map((head) => ({ head, number: true })),
          ]}
          rows={modes.map((each) => [
            modeName(each.mode),
            figure(each.meanUs, 1),
            figure(each.p10Us, 1),
            figure(each.medianUs, 1),
            withSpread(each.medianSpreadUs, 1),
            figure(each.p90Us, 1),
            figure(each.p99Us, 1),
            figure(each.connections, 0),
            each.rounds,
            each.disturbedRounds,
          ])}
        />
      }
    />
  );
}

/** Requests that follow each other on one connection. Results from before they were measured have none. */
function KeptRequests({ compare: { modes } }: { compare: Comparison }) {
  const rows = modes.flatMap(({ mode, keptRequests }) => {
    if (!keptRequests) return [];
    const { p10Us, medianUs, medianSpreadUs, p90Us, p99Us, processUsPerRequest, requests, rounds } = keptRequests;
    return [
      [
        modeName(mode),
        ...[p10Us, medianUs].map((value) => figure(value, 1)),
        withSpread(medianSpreadUs, 1),
        ...[p90Us, p99Us].map((value) => figure(value, 1)),
        withSpread(processUsPerRequest, 1),
        figure(requests, 0),
        rounds,
      ],
    ];
  });
  if (rows.length === 0) return null;
  const heads = [
    "10th percentile",
    "median",
    "median of rounds",
    "90th",
    "99th",
    "CPU of the machines' processes",
    "requests",
    "rounds",
  ];
  return (
    <Table
      caption="Requests on kept connections (GET and answer), microseconds; the interval is 95 %, by bootstrap over rounds"
      columns={[{ head: "mode" }, ...heads.map((head) => ({ head, number: true }))]}
      rows={rows}
    />
  );
}

/** One drawing per quantity and baseline. */
function Ratios({ compare: { ratios }, seed }: { compare: Comparison; seed: Report["seed"] }) {
  const groups = [...Map.groupBy(ratios, ({ quantity, to }) => `${quantity} ${to}`).values()];
  return (
    <div class="pair">
      {groups.map((group, index) => {
        const [{ quantity, to }] = group as [Comparison["ratios"][number]];
        const timed = quantity.endsWith("Us") && quantity !== "requestUs" && to === "KubeProxyIptables";
        const what = quantityName(quantity);
        return (
          <Figure
            id={`ratio-${index + 1}`}
            title={`${what.charAt(0).toUpperCase()}${what.slice(1)}, as a ratio to ${modeName(to)}`}
            caption={`The dot is the estimate, the bar its 95 % interval; below 1 is less than the baseline of the same run.${timed ? " The diamond is the seed's figure, a mean on other machines." : ""}`}
            description={listed(group.map(({ of, ratio }) => `${modeName(of)} ${withSpread(ratio, 2)}`))}
            plot={(width) => ratiosPlot(group, timed ? seed : [], width)}
            table={
              <Table
                caption={`Ratios of ${what} to ${modeName(to)}`}
                columns={[
                  { head: "mode" },
                  { head: "ratio (95 % interval)", number: true },
                  { head: "difference" },
                  { head: "seed", number: true },
                ]}
                rows={group.map(({ of, ratio, difference }) => [
                  modeName(of),
                  withSpread(ratio, 3),
                  difference,
                  timed ? (seed.find(({ mode }) => mode === of)?.ratio.toFixed(2) ?? "none") : "none",
                ])}
              />
            }
          />
        );
      })}
    </div>
  );
}
