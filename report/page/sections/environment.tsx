import type { Measurement, Report } from "../../document.ts";
import { placeInWords } from "../../results/occasion.ts";
import { Section } from "../section.tsx";
import { Table } from "../table.tsx";
import { figure, moment } from "../words.ts";

const names: Record<Measurement, string> = {
  verification: "verification",
  compare: "comparison",
  throughput: "throughput",
  scale: "number of services",
};

type Parts = Pick<Report, "environments" | "verification" | "command">;

export function EnvironmentSection({ environments, verification, command }: Parts) {
  if (!verification && environments.length === 0) return null;
  return (
    <Section id="environment" title="Where this was seen, and how to repeat it">
      {verification ? (
        <p>
          {`Verified from ${verification.verified.begunAt} to ${verification.verified.endedAt} on ${placeInWords(verification.verified)}.`}
        </p>
      ) : null}
      {environments.length === 0 ? null : (
        <>
          <Table
            caption="Where and with what"
            columns={[{ head: "measurement" }, ...environments.map(({ of }) => ({ head: names[of] }))]}
            rows={facts.map(({ name, of }) => [name, ...environments.map(({ environment }) => of(environment))])}
          />
          <h3>Every command</h3>
          <pre>
            {environments.map(({ of, environment }) => `${environment.command.padEnd(28)} # ${names[of]}`).join("\n")}
            {"\n"}
            {`${command.padEnd(28)} # this page`}
          </pre>
        </>
      )}
    </Section>
  );
}

type Facts = Report["environments"][number]["environment"];

const facts: { name: string; of(environment: Facts): string }[] = [
  { name: "measured", of: ({ measuredAt }) => moment(measuredAt) },
  { name: "commit", of: ({ commit }) => commit ?? "not known" },
  { name: "version", of: ({ version }) => version },
  { name: "kernel", of: ({ kernel }) => kernel },
  { name: "distribution", of: ({ distribution }) => distribution },
  {
    name: "processor",
    of: ({ processor, cores, virtualized }) => `${processor}, ${cores} cores${virtualized ? ", virtual" : ""}`,
  },
  { name: "Kubernetes", of: ({ kubernetes }) => kubernetes ?? "none" },
  { name: "time stolen by the host", of: ({ stealShare }) => `${figure(stealShare * 100, 1)} %` },
  { name: "load before", of: ({ loadBefore }) => figure(loadBefore) },
];
