import type { Report } from "../../document.ts";
import { Section } from "../section.tsx";

export function NotMeasured({ notMeasured }: Pick<Report, "notMeasured">) {
  return (
    <Section id="not-measured" title="What is not known, and why">
      {notMeasured.length === 0 ? (
        <p>Everything that this report has a place for was measured.</p>
      ) : (
        <ul class="plain">
          {notMeasured.map(({ what, why, next }) => (
            <li>
              <b>{what}.</b> {/[.!?]$/.test(why) ? why : `${why}.`}{" "}
              {next ? (
                <>
                  Next: <code>{next}</code>
                </>
              ) : null}
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
