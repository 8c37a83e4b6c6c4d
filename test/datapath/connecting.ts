// Opens connections at a rate until its input ends, and then says what became of them: `node connecting.ts ADDRESS PORT PER_SECOND`.
import { connect } from "node:net";

/** What became of the connections. */
export interface Connected {
  readonly opened: number;
  /** A connection counts as served when the server has said something. */
  readonly served: number;
  /** Error codes, and "silence" after 3 s. */
  readonly failed: Readonly<Record<string, number>>;
}

const SILENCE_MS = 3000;
const [host = "", port = "", perSecond = "200"] = process.argv.slice(2);
const result = { opened: 0, served: 0, failed: {} as Record<string, number> };
let open = 0;
let ending = false;

function one(): void {
  result.opened++;
  open++;
  const socket = connect({ host, port: Number(port) });
  let done = false;
  const end = (code?: string) => {
    if (done) return;
    done = true;
    clearTimeout(timer);
    socket.destroy();
    if (code === undefined) result.served++;
    else result.failed[code] = (result.failed[code] ?? 0) + 1;
    open--;
    finish();
  };
  const timer = setTimeout(() => end("silence"), SILENCE_MS);
  socket.once("data", () => end());
  socket.once("error", (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  socket.once("end", () => end("closed"));
}

function finish(): void {
  if (!ending || open > 0) return;
  process.stdout.write(JSON.stringify(result));
  process.exit();
}

// By the clock, not by a timer per connection: a busy computer makes them later, not fewer.
const started = performance.now();
const timer = setInterval(() => {
  const due = ((performance.now() - started) * Number(perSecond)) / 1000;
  for (let count = 0; result.opened < due && count < 50; count++) one();
}, 5);
process.stdin.resume().once("end", () => {
  clearInterval(timer);
  ending = true;
  finish();
});
