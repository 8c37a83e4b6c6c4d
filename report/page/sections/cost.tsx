import type { Report } from "../../document.ts";
import { modeName } from "../../modes.ts";
import type { ComparedModeResult } from "../../results/compare.ts";
import { Figure } from "../figure.tsx";
import { type Cost, costPlot, costsOf, cpuPlot, partColours, partsOf } from "../plots/cost.ts";
import { Section } from "../section.tsx";
import { Table } from "../table.tsx";
import { figure, listed, withSpread } from "../words.ts";

export function WhereTheTimeGoes({ compare }: Pick<Report, "compare">) {
  const modes = compare?.modes.filter(({ connections }) => connections > 0) ?? [];
  if (modes.length === 0) return null;
  return (
    <Section id="cost" title="Where the time goes">
      <Processor modes={modes} />
      <div class="pair">
        <ByMachine
          id="packets"
          title="Packets per connection"
          label="packets in and out of the uplink"
          digits={1}
          costs={costsOf(modes, "packetsPerConnection")}
          none="Packets were not counted."
        />
        <ByMachine
          id="bpf-time"
          title="Run time of BPF programs per connection"
          label="nanoseconds, the kernel's own count"
          digits={0}
          costs={costsOf(modes, "bpfNsPerConnection")}
          none="The kernel did not count the run time of BPF programs."
        />
      </div>
    </Section>
  );
}

function Processor({ modes }: { modes: ComparedModeResult[] }) {
  const parts = [...new Set(modes.flatMap((mode) => partsOf(mode).map(({ part }) => part)))];
  return (
    <Figure
      id="cpu"
      title="CPU time per connection"
      caption={
        <span class="parts">
          Of the whole computer, idle and steal left out:{" "}
          {parts.map((part, index) => (
            <span class="part" style={`--part: ${partColours[index % partColours.length]}`}>
              {part}
            </span>
          ))}
        </span>
      }
      description={listed(
        modes.map(({ mode, cpuUsPerConnection: { value } }) => `${modeName(mode)} ${figure(value)} µs`),
      )}
      alone
      plot={(width) => cpuPlot(modes, width)}
      table={
        <Table
          caption="CPU time per connection, microseconds"
          columns={[
            { head: "mode" },
            { head: "all (95 % interval)", number: true },
            ...parts.map((head) => ({ head, number: true })),
            { head: "CPU seconds, all rounds", number: true },
            { head: "instructions", number: true },
          ]}
          rows={modes.map((each) => [
            modeName(each.mode),
            withSpread(each.cpuUsPerConnection, 1),
            ...parts.map((name) => {
              const value = partsOf(each).find(({ part }) => part === name)?.value;
              return value === undefined ? "none" : figure(value, 1);
            }),
            figure(each.cpuSeconds, 2),
            each.instructionsPerConnection === undefined ? "not counted" : figure(each.instructionsPerConnection, 0),
          ])}
        />
      }
    />
  );
}

interface ByMachineProps {
  id: string;
  title: string;
  label: string;
  digits: number;
  costs: Cost[];
  none: string;
}

function ByMachine({ id, title, label, digits, costs, none }: ByMachineProps) {
  if (costs.length === 0) return <p class="absent">{none}</p>;
  const machines = [...new Set(costs.map(({ machine }) => machine))];
  const byMode = [...Map.groupBy(costs, ({ mode }) => mode)];
  return (
    <Figure
      id={id}
      title={title}
      caption={`By machine: ${label}.`}
      description={listed(
        byMode.map(
          ([mode, of]) =>
            `${modeName(mode)}: ${of.map(({ machine, value }) => `${machine} ${figure(value, digits)}`).join(", ")}`,
        ),
      )}
      plot={(width) => costPlot(costs, label.split(",")[0] ?? label, width)}
      table={
        <Table
          caption={`${title}: ${label}`}
          columns={[{ head: "mode" }, ...machines.map((head) => ({ head, number: true }))]}
          rows={byMode.map(([mode, of]) => [
            modeName(mode),
            ...machines.map((name) => {
              const value = of.find(({ machine }) => machine === name)?.value;
              return value === undefined ? "none" : figure(value, digits);
            }),
          ])}
        />
      }
    />
  );
}
