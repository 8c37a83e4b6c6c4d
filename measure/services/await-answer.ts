// Runs in a pod: tries to connect to each ADDRESS:PORT again and again, and prints when it was answered first, as JSON:
// {"target", "answeredNs"} on the monotonic clock, which all machines of this computer share.
import { connect } from "node:net";

/** Timeout of one connection: before a service is programmed there is no answer. */
const PATIENCE_MS = 100;
const PAUSE_MS = 5;

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(PATIENCE_MS, () => end(false));
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });
}

async function awaitAnswer(target: string): Promise<void> {
  const [host = "", port = ""] = target.split(":");
  while (!(await answers(host, Number(port)))) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  process.stdout.write(`${JSON.stringify({ target, answeredNs: Number(process.hrtime.bigint()) })}\n`);
}

process.stdout.write("ready\n");
await Promise.all(process.argv.slice(2).map(awaitAnswer));
