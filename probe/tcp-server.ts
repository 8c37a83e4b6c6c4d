import { createServer, type Server, type Socket } from "node:net";
import { type Answer, answerHttp, answerLine, plainAddress } from "./answer.ts";
import { ECHO } from "./echo.ts";
import { afterSilence } from "./silence.ts";

/** A client that is silent this long gets the raw line: it may be waiting for us to speak first. Shorter, a client that waits for a processor
 * before it sends its request would be answered without an HTTP status; so would one whose request waits here while this process has none. */
const silenceMs = 1000;
/** A client that started an HTTP request and never ends it is answered anyway. */
const requestMs = 1000;
/** After this time the server closes a connection that the client keeps open. */
const idleMs = 10_000;
/** A connection that the client asked to keep lives as long as a step of a check may take. */
const keptMs = 3_600_000;
const longestHead = 16_384;

const methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];

/** Listens on all families (IPv4 only where the kernel has no IPv6). Rejects when the port is taken. */
export async function listenTcp(port: number, server: string): Promise<Server> {
  const listener = createServer({ allowHalfOpen: true }, (socket) => serve(socket, server));
  try {
    await listen(listener, port, "::");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "EAFNOSUPPORT" && code !== "EADDRNOTAVAIL") throw error;
    await listen(listener, port, "0.0.0.0");
  }
  return listener;
}

function listen(listener: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    listener.once("error", reject);
    listener.listen({ port, host, ipv6Only: false }, () => {
      listener.off("error", reject);
      resolve();
    });
  });
}

function serve(socket: Socket, server: string): void {
  // Read immediately: after a reset the peer's address is gone.
  const answer: Answer = {
    server,
    source: plainAddress(socket.remoteAddress ?? ""),
    sourcePort: socket.remotePort ?? 0,
  };
  let received = "";
  let answered = false;
  let kept = false;

  const reply = (text: string): void => {
    if (answered) return;
    answered = true;
    callOff();
    // Further data of the client is read and dropped: closing with unread bytes would send a reset, which discards the answer.
    socket.end(text);
  };
  const replyLine = (): void => reply(answerLine(answer));
  let callOff = afterSilence(silenceMs, replyLine);

  socket.on("data", (chunk) => {
    if (answered) return;
    if (received === "" && chunk[0] === ECHO) {
      answered = true;
      callOff();
      return echo(socket, chunk, answer);
    }
    received = answerKept(socket, received + chunk.toString("latin1"), answer);
    if (received === "") {
      kept = true;
      callOff();
      return socket.setTimeout(keptMs);
    }
    const kind = classify(received);
    if (kind === "raw") return replyLine();
    callOff();
    if (kind === "request" || received.length > longestHead)
      return reply(answerHttp(answer, { headOnly: received.startsWith("HEAD ") }));
    callOff =
      kind === "head" ? afterSilence(requestMs, () => reply(answerHttp(answer))) : afterSilence(silenceMs, replyLine);
  });
  socket.on("end", () => {
    if (kept && received === "") socket.end();
    else if (!answered) classify(received) === "head" ? reply(answerHttp(answer)) : replyLine();
  });
  socket.on("error", () => socket.destroy());
  socket.on("close", () => callOff());
  socket.setTimeout(idleMs, () => socket.destroy());
}

/** Answers complete requests that ask to keep the connection. @returns what is left */
function answerKept(socket: Socket, received: string, answer: Answer): string {
  let rest = received;
  for (let end = headEnd(rest); end > 0 && asksToKeep(rest.slice(0, end)); end = headEnd(rest)) {
    socket.write(answerHttp(answer, { headOnly: rest.startsWith("HEAD "), keep: true }));
    rest = rest.slice(end);
  }
  return rest;
}

/** Offset after the first head. */
const headEnd = (text: string): number => {
  const end = text.indexOf("\r\n\r\n");
  return end < 0 ? -1 : end + 4;
};

/** HTTP/1.1 keeps connections by default, but not every client that says nothing reads to an announced length. */
const asksToKeep = (head: string): boolean => /^(GET|HEAD) /.test(head) && /^connection:\s*keep-alive\r$/im.test(head);

/** Sends everything back as it comes, no faster than the client reads; the answer's line follows the client's end. */
function echo(socket: Socket, first: Buffer, answer: Answer): void {
  const back = (chunk: Buffer): void => {
    if (!socket.write(chunk)) socket.pause();
  };
  socket.on("drain", () => socket.resume());
  socket.on("data", back);
  socket.on("end", () => socket.end(answerLine(answer)));
  back(first);
}

/** `unclear`: could still become a method; `head`: HTTP whose head is not complete; `request`: complete; `raw`: not HTTP. */
function classify(received: string): "unclear" | "head" | "request" | "raw" {
  const isHttp = methods.some((method) => received.startsWith(`${method} `));
  if (isHttp) return /\r?\n\r?\n/.test(received) ? "request" : "head";
  return methods.some((method) => `${method} `.startsWith(received)) ? "unclear" : "raw";
}
