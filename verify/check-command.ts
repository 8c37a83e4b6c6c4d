import { resolve } from "node:path";
import { checkSchema } from "../components/documents/check.ts";
import { didYouMean } from "../components/refusal/suggestion.ts";
import { getObject } from "../kubernetes/get.ts";
import type { Verification } from "./format/document.ts";
import { readMachines } from "./format/machines.ts";
import { CheckFileError, readChecks } from "./format/read.ts";
import { printSuite } from "./print-suite.ts";
import { forgetResult, readInput, type SessionOptions, session, writeResult, writeText } from "./session.ts";
import { SUITE } from "./suite/cluster-suite.ts";
import { type SuiteTarget, suiteOf } from "./suite/of-cluster.ts";
import { clearNamespaces, makeNamespaces } from "./suite/own-namespaces.ts";
import { junitOf } from "./verification/junit.ts";

export interface CheckOptions extends SessionOptions {
  /** Path of the result. */
  out: string;
  /** File of machines that are reached by SSH. */
  machines?: string;
  /** A ready-made suite, before the files. */
  suite?: string;
  /** Print the suite as a check file instead of running it. */
  print?: boolean;
  /** Path of the result as JUnit XML. */
  junit?: string;
}

/** Runs check files, a ready-made suite, or both. @returns the exit status */
export function checkCommand(files: string[], options: CheckOptions): Promise<number> {
  const { out, junit, suite } = options;
  // Every file is read before anything is changed: a mistake in the last one has no effect.
  const read = (): Verification => {
    requireSomething(files, options);
    const checks = files.flatMap((file) => {
      const name = file === "-" ? "stdin" : file;
      return readChecks(readInput(file), name).map((check) => ({ check, file: name }));
    });
    const machines = options.machines ? readMachines(readInput(options.machines), options.machines) : [];
    if (!options.print) for (const old of [out, junit]) if (old !== undefined) forgetResult(old);
    return { checks, machines, thresholds: [] };
  };
  if (options.print) return printSuite(options, read);
  return session(options, read, {
    complete: suite === undefined ? onceReachable : withSuite,
    keep: ({ result }) => {
      writeResult(out, result);
      if (junit !== undefined) writeText(junit, junitOf(result));
      return result;
    },
  });
}

/** Fails if the cluster cannot be asked: then nothing is known, which is another result than rows that do not hold. */
async function onceReachable(verification: Verification, { api }: SuiteTarget): Promise<Verification> {
  await getObject(api, "/version");
  return verification;
}

async function withSuite(verification: Verification, target: SuiteTarget): Promise<Verification> {
  await clearNamespaces(target.api);
  const { check, skipped } = await suiteOf(target);
  await makeNamespaces(target.api);
  const checks = [{ check: checkSchema.parse(check), file: `suite ${SUITE}` }, ...verification.checks];
  return { ...verification, checks, skipped };
}

function requireSomething(files: string[], { suite, print, out, junit }: CheckOptions): void {
  if (suite !== undefined && suite !== SUITE)
    throw new CheckFileError(`there is no suite "${suite}"${didYouMean(suite, [SUITE])} (suites: ${SUITE})`);
  if (print && (suite === undefined || files.length > 0))
    throw new CheckFileError(`--print prints a suite: give --suite ${SUITE}, and no files`);
  if (print && junit !== undefined) throw new CheckFileError("--print runs nothing, so there is no result for --junit");
  if (suite === undefined && files.length === 0)
    throw new CheckFileError(`nothing to check: name a check file, or give --suite ${SUITE}`);
  if (junit !== undefined && resolve(junit) === resolve(out))
    throw new CheckFileError(`--junit and --out name the same file, ${out}; name two`);
}
