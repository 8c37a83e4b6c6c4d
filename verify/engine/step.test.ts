import { expect, test } from "vitest";
import { checkSchema } from "../../components/documents/check.ts";
import type { Assessment } from "./assess.ts";
import { settle } from "./step.ts";
import { FakeWorld } from "./world.fixture.ts";

const [step] = checkSchema.parse({
  name: "n",
  steps: [{ expect: [{ from: "client1", to: "tcp://a:1", verdict: "allowed" }] }],
}).steps;
const expectations = step?.expect ?? [];
const [expectation] = expectations;

/** What each round shows, in turn; the last one again and again. */
async function settled(...shown: Partial<Assessment>[]) {
  const world = new FakeWorld();
  let rounds = 0;
  const round = async (): Promise<Assessment[]> => {
    const seen = shown[Math.min(rounds++, shown.length - 1)];
    return [
      {
        expectation: expectation as Assessment["expectation"],
        pass: false,
        observed: "",
        reasons: [],
        evidence: [],
        seen: [],
        ...seen,
      },
    ];
  };
  const [assessment] = await settle(world, expectations, 5, round);
  return { assessment, rounds, seconds: world.clock.now() / 1000 };
}

const held = { pass: true };
const open = { undecided: "pod default/web-0 had no CPU" };

test("what holds must hold once more, and what holds no longer is said", async () => {
  expect(await settled(held)).toMatchObject({ assessment: held, rounds: 2 });
  const { assessment } = await settled(held, { observed: "dropped" });
  expect(assessment).toMatchObject({ pass: false, evidence: [expect.stringContaining("it held at first")] });
});

test("what was open when it was tried once more is tried again, and longer than what fails", async () => {
  expect(await settled(held, open, held)).toMatchObject({ assessment: held, rounds: 4 });
  const [failing, undecided] = [await settled({}), await settled(open)];
  expect(failing.seconds).toBe(5);
  expect(undecided).toMatchObject({ assessment: { pass: false, ...open }, seconds: 65 });
});
