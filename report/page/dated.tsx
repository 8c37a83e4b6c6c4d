import type { Measurement, Report } from "../document.ts";
import { moment } from "./words.ts";

/** Says that figures are from another day than the report. */
export function Dated({ of, environments }: { of: Measurement; environments: Report["environments"] }) {
  const found = environments.find((each) => each.of === of);
  if (!found?.otherDay) return null;
  return (
    <p>
      <span class="stamp">{`Measured on another day: ${moment(found.environment.measuredAt)}`}</span>
    </p>
  );
}
