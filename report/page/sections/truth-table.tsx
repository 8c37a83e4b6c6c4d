import type { Report } from "../../document.ts";
import type { Row } from "../../results/verification.ts";
import { Section } from "../section.tsx";
import { Cells, Head, Scrolling } from "../table.tsx";

const columns = ["", "from", "to", "expected", "observed"].map((head) => ({ head }));

export function TruthTable({ verification, compare }: Pick<Report, "verification" | "compare">) {
  const compared = compare?.expected ?? [];
  if (!verification && compared.length === 0) return null;
  return (
    <Section id="truth" title="Truth table">
      {verification ? (
        <>
          <p class="note">
            Every row shows real connections on the running cluster: the expected and the observed result.
          </p>
          <Scrolling label="Truth table">
            <table class="stack">
              <caption>{captionOf(verification)}</caption>
              <Head columns={[{ head: "result" }, ...columns.slice(1)]} />
              {bySteps(verification.rows).map(([step, rows]) => (
                <tbody class="group">
                  {step === "" ? null : (
                    <tr>
                      <th colSpan={5} scope="rowgroup">
                        {step}
                      </th>
                    </tr>
                  )}
                  {rows.map((row) => (
                    <Cells
                      columns={columns}
                      row={[<Verdict {...row} />, row.from, <code>{row.to}</code>, row.expected, row.observed]}
                    />
                  ))}
                </tbody>
              ))}
            </table>
          </Scrolling>
          {verification.rows
            .filter(({ pass }) => !pass)
            .map((row) => (
              <Failure row={row} />
            ))}
          <Limits thresholds={verification.thresholds ?? []} />
        </>
      ) : null}
      {compared.length > 0 ? <Compared expected={compared} /> : null}
    </Section>
  );
}

function captionOf({ passed, failed, undecided }: NonNullable<Report["verification"]>): string {
  const open = undecided > 0 ? ` ${undecided} could not be decided; each row says why.` : "";
  return `${passed} rows hold, ${failed} do not.${open}`;
}

/** In letters too: colour adds, and never carries. */
export function Verdict({ pass, undecided }: { pass: boolean; undecided?: string }) {
  if (undecided !== undefined) return <span class="open">? not known</span>;
  return <span class={pass ? "pass" : "fail"}>{pass ? "✓ pass" : "✕ fail"}</span>;
}

function bySteps(rows: Row[]): [string, Row[]][] {
  return [...Map.groupBy(rows, ({ step }) => step ?? "")];
}

function Failure({ row }: { row: Row }) {
  const { from, to, expected, observed, evidence = [], next = [] } = row;
  return (
    <div class="failure">
      <h3>
        <Verdict {...row} /> {`${from} → ${to}`}
      </h3>
      <p>{`Expected ${expected}; observed ${observed}.`}</p>
      {evidence.length > 0 ? <pre>{evidence.join("\n")}</pre> : null}
      {next.length > 0 ? (
        <>
          <p>What to look at next:</p>
          <pre>{next.join("\n")}</pre>
        </>
      ) : null}
    </div>
  );
}

function Limits({ thresholds }: { thresholds: NonNullable<Report["verification"]>["thresholds"] & object }) {
  if (thresholds.length === 0) return null;
  const limits = ["", "figure", "at most", "observed"].map((head) => ({ head }));
  return (
    <Scrolling label="Limits">
      <table>
        <caption>Limits that were set</caption>
        <Head columns={[{ head: "result" }, ...limits.slice(1)]} />
        <tbody>
          {thresholds.map(({ what, atMost, observed, pass }) => (
            <Cells columns={limits} row={[<Verdict pass={pass} />, what, atMost, observed ?? "not measured"]} />
          ))}
        </tbody>
      </table>
    </Scrolling>
  );
}

function Compared({ expected }: { expected: NonNullable<Report["compare"]>["expected"] }) {
  const head = ["result", "what", "expected", "observed"].map((name) => ({ head: name }));
  return (
    <Scrolling label="Expectations for each mode">
      <table class="stack">
        <caption>Expectations for each mode of the comparison</caption>
        <Head columns={head} />
        <tbody>
          {expected.map((each) => (
            <Cells columns={head} row={[<Verdict pass={each.pass} />, each.what, each.expected, each.observed]} />
          ))}
        </tbody>
      </table>
    </Scrolling>
  );
}
