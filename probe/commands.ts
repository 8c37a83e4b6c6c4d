import type { Command } from "commander";
import { parsePorts } from "./ports.ts";

/** Adds `probe-server`, the command of checks' servers. Its code is loaded only when it runs. */
export function registerProbeServer(program: Command): void {
  program
    .command("probe-server")
    .description(
      "answer every TCP connection and UDP datagram with the server's identity and the client's address, as one JSON line",
    )
    .option("--tcp <ports>", 'TCP ports, e.g. "80,81"', parsePorts, [])
    .option("--udp <ports>", 'UDP ports, e.g. "80,81"', parsePorts, [])
    .option("--name <name>", "who it says it is; by default the pod that it runs in")
    .option("--attended", "print a line when it listens, and end with a line or the end of standard input", false)
    .action(async (options: { tcp: number[]; udp: number[]; name?: string; attended: boolean }) => {
      const { tcp, udp, name, attended } = options;
      if (tcp.length + udp.length === 0) return program.error("probe-server: give --tcp or --udp a port.");
      const { runAttendedServer, runProbeServer } = await import("./server.ts");
      if (!attended) return runProbeServer({ tcp, udp }, name);
      await endWith(runAttendedServer({ tcp, udp }, name, process.stdin, process.stdout));
    });
}

/** Adds `probe`, `probe-sockets` and `capture`. Each loads its code only when it runs. */
export function registerProbeCommands(program: Command): void {
  program
    .command("probe")
    .description("run the batch of probes on standard input; print one JSON line per attempt")
    .option("--netns <path>", "leave from this network namespace")
    .option("--wait", "print a line when everything is ready, and send at the next line of input", false)
    .option("--session", "run a batch for each line, and keep sockets open in between", false)
    .action(async (options: { netns?: string; wait: boolean; session: boolean }) => {
      if (options.session) {
        const { runSession } = await import("./session.ts");
        return endWith(runSession(process.stdin, process.stdout));
      }
      const { runProbe } = await import("./client.ts");
      await endWith(runProbe(options, process.stdin, process.stdout));
    });

  program
    .command("probe-sockets <pods...>")
    .description(
      "print what the kernel holds for the sockets of pods of this node (NAMESPACE/NAME:UID), one JSON line per pod",
    )
    .action(async (pods: string[]) => {
      const { socketsOfPods } = await import("./sockets.ts");
      for (const pod of socketsOfPods(pods)) process.stdout.write(`${JSON.stringify(pod)}\n`);
    });

  program
    .command("capture <filter>")
    .description("print the packets of this machine that match a pcap filter, until standard input ends")
    .option("--pod <namespace/name:uid>", "in the network namespace of this pod of this node")
    .action(async (filter: string, options: { pod?: string }) => {
      const { runCapture } = await import("./capture.ts");
      await endWith(runCapture(filter, options, process.stdin, process.stdout));
    });
}

/** One line instead of a stack trace, and no waiting for an input stream that stays open. */
async function endWith(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 2;
  }
  process.stdin.destroy();
}
