import type { Report } from "../../document.ts";
import { modeName } from "../../modes.ts";
import { placeInWords } from "../../results/occasion.ts";
import { figure, moment, quantityName } from "../words.ts";

/** The answer before everything else. */
export function VerdictSection({ report }: { report: Report }) {
  const { verdict, holds, writtenAt, verification, compare } = report;
  const keys = keyFigures(report);
  return (
    <section id="verdict" aria-labelledby="verdict-heading" class="verdict">
      <p class="eyebrow">
        {holds === undefined ? (
          <span class="note">Nothing was verified</span>
        ) : (
          <span class={holds ? "pass" : "fail"}>{holds ? "✓ Verified" : "✕ Not as expected"}</span>
        )}{" "}
        <span class="note">
          {verification
            ? `${moment(verification.verified.endedAt)}, on ${placeInWords(verification.verified)}`
            : `Written ${moment(writtenAt)}`}
        </span>
      </p>
      <h1 id="verdict-heading" tabIndex={-1}>
        {verdict}
      </h1>
      {verification && compare ? <p class="lede">{compare.verdict}</p> : null}
      {keys.length > 0 ? (
        <dl class="keys">
          {keys.map(({ name, value, spread }) => (
            <div>
              <dt>{name}</dt>
              <dd>
                <span class="value">{value}</span>
                <span class="spread">{spread}</span>
              </dd>
            </div>
          ))}
        </dl>
      ) : null}
    </section>
  );
}

interface KeyFigure {
  name: string;
  value: string;
  spread: string;
}

function keyFigures({ verification, compare }: Report): KeyFigure[] {
  const rows = verification
    ? [
        {
          name: "Truth table",
          value: `${verification.passed} of ${verification.rows.length}`,
          spread: "rows hold",
        },
      ]
    : [];
  const ratios = (compare?.ratios ?? [])
    .filter(({ of, to }) => of === "EbpfDsr" && to === "KubeProxyIptables")
    .map(({ quantity, ratio: { value, low, high }, difference, to }) => ({
      name: `${capitalised(quantityName(quantity))}, DSR`,
      value: difference === "no difference" ? "no difference" : `${figure(value)} ×`,
      spread: `${figure(low)} to ${figure(high)}, against ${modeName(to)}`,
    }));
  const [dsr, tunnel] = (["EbpfDsr", "EbpfTunnel"] as const).map((name) =>
    compare?.modes.find(({ mode }) => mode === name),
  );
  const packets = Object.entries(dsr?.packetsPerConnection ?? {}).flatMap(([machine, value]) => {
    const before = tunnel?.packetsPerConnection[machine];
    return before !== undefined && value < before
      ? [
          {
            name: `Packets through ${machine}, DSR`,
            value: figure(value, Number.isInteger(value) ? 0 : 1),
            spread: `per connection, instead of ${figure(before, Number.isInteger(before) ? 0 : 1)} in tunnel mode`,
          },
        ]
      : [];
  });
  return [...rows, ...ratios, ...packets].slice(0, 4);
}

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
