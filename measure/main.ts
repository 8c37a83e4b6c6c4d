// `make bench-throughput`, `make bench-scale`: measurements on machines of their own, beside kube-proxy.
import { Command, InvalidArgumentError } from "commander";
import { KubernetesError } from "../kubernetes/errors.ts";
import { LabFailure } from "../lab/failure.ts";
import { requireHost } from "../lab/host.ts";
import { withLock } from "../lab/lock.ts";
import { removeLab } from "../lab/machines/removal.ts";

/** Each command has a lab of its own, so that both may run, and the next run removes what a killed one left. */
const labs = { throughput: "benchtp", scale: "benchsc" } as const;

const command = new Command("bench").description("What the dataplane costs beside the standard Linux path.");

const count = (text: string): number => {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError(`is '${text}'; allowed is a number from 1 to 9999.`);
};

command
  .command("throughput")
  .description("pod to pod on different nodes: Gbit/s and CPU seconds per Gbit")
  .option("--quick", "MTU 1440, large writes, one stream, 5 rounds: about a minute")
  .option("--vxlan", "wrap packets between nodes: our pools Always, beside them the kernel's VXLAN device")
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
  .command("scale")
  .description("new connections and programming time against the number of services")
  .option("--quick", "up to 100 services, fewer rounds: about two minutes")
  .option("--rounds <count>", "rounds of connections at each number of services", count)
  .option("--json", "print the result as JSON and nothing else")
  .option("--keep", "also keep the result in measure/results")
  .action((options) =>
    inLab("scale", async (lab) => {
      const { benchScale } = await import("./scale/command.ts");
      await benchScale(lab, options);
    }),
  );

/** Work in a lab that is removed in any case, also after Ctrl-C. */
async function inLab(name: keyof typeof labs, work: (lab: string) => Promise<void>): Promise<void> {
  await requireHost();
  const lab = labs[name];
  await withLock(lab, `bench ${name}`, async () => {
    const interrupted = new Promise<never>((_, reject) => {
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
        process.once(signal, () => reject(new LabFailure(`${signal}: the measurement ends, nothing is written`)));
    });
    try {
      await Promise.race([work(lab), interrupted]);
    } finally {
      await removeLab(lab);
    }
  });
  process.exit(0); // connections to what is gone need not be waited for
}

command.parseAsync().catch((error: unknown) => {
  const next =
    (error instanceof LabFailure || error instanceof KubernetesError) && error.next ? `\nnext: ${error.next}` : "";
  process.stderr.write(`bench: ${error instanceof Error ? error.message : error}${next}\n`);
  process.exit(error instanceof LabFailure ? error.exitCode : 1);
});
