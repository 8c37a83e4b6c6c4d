import { expect, test } from "vitest";
import { checkSchema } from "../../components/documents/check.ts";
import type { Judgement } from "./judge.ts";
import { settle } from "./step.ts";
import { FakeWorld } from "./world.fixture.ts";

const [step] = checkSchema.parse({
  name: "n",
  steps: [{ expect: [{ from: "client1", to: "tcp://a:1", verdict: "allowed" }] }],
}).steps;
const expectations = step?.expect ?? [];
const [expectation] = expectations;

/** What each round shows, in turn; the last one again and again. */
async function settled(...shown: Partial<Judgement>[]) {
  const world = new FakeWorld();
  let rounds = 0;
  const round = async (): Promise<Judgement[]> => {
    const seen = shown[Math.min(rounds++, shown.length - 1)];
    return [
      {
        expectation: expectation as Judgement["expectation"],
        pass: false,
        observed: "",
        evidence: [],
        seen: [],
        ...seen,
      },
    ];
  };
  const [judgement] = await settle(world, expectations, 5, round);
  return { judgement, rounds, seconds: world.clock.now() / 1000 };
}

const held = { pass: true };
const open = { undecided: "pod default/web-0 had no processor" };

test("what holds must hold once more, and what holds no longer is said", async () => {
  expect(await settled(held)).toMatchObject({ judgement: held, rounds: 2 });
  const { judgement } = await settled(held, { observed: "dropped" });
  expect(judgement).toMatchObject({ pass: false, evidence: [expect.stringContaining("it held at first")] });
});

test("what was open when it was tried once more is tried again, and longer than what fails", async () => {
  expect(await settled(held, open, held)).toMatchObject({ judgement: held, rounds: 4 });
  const [failing, undecided] = [await settled({}), await settled(open)];
  expect(failing.seconds).toBe(5);
  expect(undecided).toMatchObject({ judgement: { pass: false, ...open }, seconds: 65 });
});
