// Builds missing artifacts, step by step: `node tools/build.ts [STEP...]`, all steps by default.
//
// A step compares content to decide whether it has to run, so a repeated build takes a second or two.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { builds, compileObjects, objectsAreFresh } from "./bpf.ts";
import { bundle, compileComponents, componentsAreFresh } from "./bundle.ts";
import { cacheFolder } from "./cache.ts";
import { failureInWords } from "./command.ts";
import { DurationBook, spoken } from "./durations.ts";
import { binaryPath, buildGoBinary, type GoBinary } from "./go-binary.ts";
import { buildImages } from "./images/build.ts";
import {
  buildLoad,
  buildProbes,
  buildShim,
  coredns,
  kube,
  loadIsFresh,
  probesAreFresh,
  shimExists,
  shimIsFresh,
} from "./programs.ts";
import { runStep, type Step } from "./progress.ts";
import { COREDNS, KUBERNETES } from "./versions.ts";

const goStep = (binary: GoBinary, title: string, guessSeconds: number): Step => ({
  name: binary.name,
  title,
  guessSeconds,
  fresh: () => existsSync(binaryPath(binary)),
  make: async (done) => ({ fresh: await buildGoBinary(binary, done) }),
});

/** A part that is rebuilt when its sources changed. */
const unlessFresh = (isFresh: () => boolean, build: () => Promise<void>): Pick<Step, "fresh" | "make"> => ({
  fresh: isFresh,
  make: async () => {
    const fresh = isFresh();
    if (!fresh) await build();
    return { fresh };
  },
});

const steps: Step[] = [
  {
    name: "bpf",
    title: "dataplane objects",
    guessSeconds: 9,
    fresh: objectsAreFresh,
    make: async () => {
      const fresh = objectsAreFresh();
      if (!fresh) await compileObjects();
      return { fresh, note: `${builds().length} dataplane objects` };
    },
  },
  {
    name: "cni",
    title: "CNI plugin",
    guessSeconds: 20,
    fresh: shimIsFresh,
    make: async () => (shimExists() ? { fresh: await buildShim() } : { fresh: true, note: "no CNI plugin to build" }),
  },
  {
    name: "probe",
    title: "portable prober",
    guessSeconds: 30,
    ...unlessFresh(probesAreFresh, buildProbes),
  },
  {
    name: "load",
    title: "load generator",
    guessSeconds: 2,
    ...unlessFresh(loadIsFresh, buildLoad),
  },
  {
    name: "bundle",
    title: "agent, lab, verification, runner",
    guessSeconds: 2,
    fresh: () => false,
    make: async () => {
      const missing = await bundle();
      return {
        fresh: false,
        note: missing.length > 0 ? `programs (without ${missing.join(", ")}: no main.ts)` : undefined,
      };
    },
  },
  {
    name: "components",
    title: "Pulumi components",
    guessSeconds: 30,
    ...unlessFresh(componentsAreFresh, compileComponents),
  },
  goStep(coredns, `CoreDNS ${COREDNS}`, 50),
  goStep(kube, `Kubernetes ${KUBERNETES} from its Go modules`, 240),
  {
    name: "images",
    title: "container images",
    guessSeconds: 15,
    fresh: () => false,
    make: async () => {
      const { images, rebuilt } = await buildImages();
      return {
        fresh: rebuilt.length === 0,
        note: `${images.length} container images${rebuilt.length > 0 ? ` (new: ${rebuilt.join(", ")})` : ""}`,
      };
    },
  },
];

/** With --quiet, steps that took no time are not reported. */
const QUIET = "--quiet";

async function main(args: string[]): Promise<void> {
  const names = args.filter((arg) => arg !== QUIET);
  const unknown = names.find((name) => !steps.some((step) => step.name === name));
  if (unknown) throw new Error(`Cannot build "${unknown}": the steps are ${steps.map((step) => step.name).join(", ")}`);
  const wanted = steps.filter((step) => names.length === 0 || names.includes(step.name));
  const book = new DurationBook(join(cacheFolder(), "durations.json"));
  const estimates = wanted.filter((step) => !step.fresh()).map((step) => book.estimate(step.name, step.guessSeconds));
  const seconds = estimates.reduce((sum, estimate) => sum + estimate.seconds, 0);
  if (seconds >= 30) {
    const guessed = estimates.some((estimate) => estimate.basis === "guessed" && estimate.seconds >= 30);
    process.stderr.write(
      `building ${estimates.length} of ${wanted.length} parts, about ${spoken(seconds)}${guessed ? " (a guess for two cores)" : ""}\n`,
    );
  }
  for (const step of wanted) await runStep(step, book, { quiet: args.includes(QUIET) });
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${failureInWords(error, cacheFolder())}\n`);
  process.exitCode = 1;
}
