import { LISTENING } from "../../probe/batch.ts";
import { failureLine, type ListenPorts, type RunningCommand, type RunningServer } from "./actor.ts";

/** As probers: on a busy computer it takes long until they run. */
const startMs = 90_000;

/** Words of the prober's command that serves. It ends with its input, also when this process is killed. */
export const serverCommand = ({ tcp, udp }: ListenPorts, name: string): string[] => {
  const ports = [
    ...(tcp.length > 0 ? ["--tcp", tcp.join(",")] : []),
    ...(udp.length > 0 ? ["--udp", udp.join(",")] : []),
  ];
  return ["probe-server", ...ports, "--name", name, "--attended"];
};

/**
 * Runs the prober's server somewhere. Resolves when it listens on every port.
 *
 * @param where names the place in messages
 * @param run starts the command and hands over its output line by line
 */
export async function startServer(
  where: string,
  run: (onLine: (line: string) => void) => Promise<RunningCommand>,
): Promise<RunningServer> {
  let listening = (): void => {};
  const started = new Promise<void>((resolve) => {
    listening = resolve;
  });
  const running = await run((line) => line === LISTENING && listening());
  const late = setTimeout(() => running.abort(), startMs);
  let failure: string | undefined;
  const ended = running.ended.then(
    ({ stderr }) => {
      failure = failureLine(stderr, "it ended at once");
    },
    (error: Error) => {
      failure = error.message;
    },
  );
  await Promise.race([started, ended]).finally(() => clearTimeout(late));
  if (failure !== undefined) throw new Error(`the probe server on ${where} does not start: ${failure}`);
  return {
    stop: async () => {
      if (failure !== undefined) return `the probe server on ${where} ended during the check: ${failure}`;
      running.write("\n");
      const deadline = setTimeout(() => running.abort(), startMs);
      await ended.finally(() => clearTimeout(deadline));
      return undefined;
    },
  };
}
