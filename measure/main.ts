// `make bench-throughput`, `make bench-services`: measurements on separate machines, beside kube-proxy.
import { Command, InvalidArgumentError } from "commander";
import { KubernetesError } from "../kubernetes/errors.ts";
import { LabFailure } from "../lab/failure.ts";
import { requireHost } from "../lab/host.ts";
import { withLock } from "../lab/lock.ts";
import { removeLab } from "../lab/machines/removal.ts";

/** Each command has its own lab, so that both may run, and the next run removes the remains of a killed one. */
const labs = { throughput: "benchtp", services: "benchsv" } as const;

const command = new Command("bench").description("Measures the dataplane beside the standard Linux path.");

const count = (text: string): number => {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError(`is '${text}'; allowed is a number from 1 to 9999.`);
};

const counts = (text: string): number[] => {
  const numbers = text.split(",").map(Number);
  const ascending = numbers.every((number, at) => Number.isInteger(number) && number > (numbers[at - 1] ?? 0));
  if (ascending && (numbers.at(-1) ?? 0) <= 50_000) return numbers;
  throw new InvalidArgumentError(`is '${text}'; allowed are ascending numbers from 1 to 50000, as 1,1000,30000.`);
};

command
  .command("throughput")
  .description("pod to pod on different nodes: Gbit/s and CPU seconds per Gbit")
  .option("--quick", "MTU 1440, large writes, one stream, 5 rounds: about a minute")
  .option("--vxlan", "use VXLAN between nodes: our pools with Always, beside the kernel's VXLAN device")
  .option("--rounds <count>", "rounds of each series", count)
  .option("--json", "print the result as JSON and nothing else")
  .option("--keep", "also keep the result in measure/results")
  .action((options) =>
    inLab("throughput", async (lab) => {
      const { benchThroughput } = await import("./throughput/command.ts");
      await benchThroughput(lab, options);
    }),
  );

command
  .command("services")
  .description("new connections, programming, churn and memory against the number of services")
  .option("--quick", "up to 1,000 services, fewer rounds, half a minute of churn: about five minutes")
  .option("--rounds <count>", "rounds of connections at each number of services", count)
  .option("--counts <numbers>", "numbers of services, ascending: 1,10000", counts)
  .option("--json", "print the result as JSON and nothing else")
  .option("--keep", "also keep the result in measure/results")
  .action((options) =>
    inLab("services", async (lab) => {
      const { benchServices } = await import("./services/command.ts");
      await benchServices(lab, options);
    }),
  );

/** Work in a lab that is always removed, also after Ctrl-C. */
async function inLab(name: keyof typeof labs, work: (lab: string) => Promise<void>): Promise<void> {
  await requireHost();
  const lab = labs[name];
  await withLock(lab, `bench ${name}`, async () => {
    const interrupted = new Promise<never>((_, reject) => {
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
        process.once(signal, () =>
          reject(new LabFailure(`${signal}: the measurement was stopped, no result is written`)),
        );
    });
    try {
      await Promise.race([work(lab), interrupted]);
    } finally {
      await removeLab(lab);
    }
  });
  process.exit(0); // open connections to removed machines need not be waited for
}

command.parseAsync().catch((error: unknown) => {
  const next =
    (error instanceof LabFailure || error instanceof KubernetesError) && error.next ? `\nnext: ${error.next}` : "";
  process.stderr.write(`bench: ${error instanceof Error ? error.message : error}${next}\n`);
  process.exit(error instanceof LabFailure ? error.exitCode : 1);
});
