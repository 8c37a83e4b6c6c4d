import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { renameSync, rmSync } from "node:fs";
import { replacePrivately } from "../run-folder/private-files.ts";
import { type Answer, askBird } from "./control.ts";

/** BIRD's last output, of which the end is kept. */
const LAST_WORDS = 1_000;

/** How long BIRD may take to listen, and to end: ms. The agent writes nothing to the kernel meanwhile. */
const PATIENCE = { startMs: 30_000, endMs: 10_000 };

/** BIRD, as a child process of the agent: it ends with the agent. */
export class BirdDaemon {
  readonly #file: string;
  readonly #socket: string;
  readonly #patience: typeof PATIENCE;
  #child: ChildProcess | undefined;
  #said = "";

  /** @param file its configuration
   * @param socket its control socket */
  constructor(file: string, socket: string, patience = PATIENCE) {
    this.#file = file;
    this.#socket = socket;
    this.#patience = patience;
  }

  get runs(): boolean {
    return this.#child !== undefined;
  }

  /** Makes BIRD follow the configuration: starts it, or lets it continue with what both versions have in common. Throws if BIRD refuses
   * the configuration; then everything stays as it was. */
  async follow(text: string): Promise<void> {
    const next = `${this.#file}.next`;
    replacePrivately(next, text);
    const { status, stderr, error } = spawnSync("bird", ["-p", "-c", next], { encoding: "utf8" });
    if (error) throw new Error(`cannot run bird: ${error.message}. Next: is bird2 in the agent's image?`);
    if (status !== 0) throw new Error(`bird refuses its configuration: ${stderr.trim().slice(0, LAST_WORDS)}`);
    renameSync(next, this.#file);
    if (!this.#child) return void (await this.#start());
    const { code, lines } = await this.ask("configure");
    if (code >= 8000) throw new Error(`bird does not follow its configuration: ${lines.join("; ")}`);
  }

  ask(question: string): Promise<Answer> {
    return askBird(this.#socket, question);
  }

  /** Ends BIRD. "graceful": its routes stay in the kernel, and peers keep theirs for a while; "finally": both are withdrawn first. */
  async end(how: "graceful" | "finally"): Promise<void> {
    const child = this.#child;
    if (child) await this.#endChild(child, how === "graceful" ? "graceful restart" : "down");
    // The file says that BIRD should run, even if BIRD ended by itself, or an earlier agent left it.
    if (how === "finally") rmSync(this.#file, { force: true });
  }

  async #endChild(child: ChildProcess, command: string): Promise<void> {
    const gone = new Promise((resolve) => child.once("exit", resolve));
    await this.ask(command).catch(() => child.kill("SIGKILL"));
    const late = setTimeout(() => child.kill("SIGKILL"), this.#patience.endMs);
    await gone;
    clearTimeout(late);
  }

  // -R: routes of the daemon before stay in the kernel until the peers have told theirs again.
  async #start(): Promise<void> {
    rmSync(this.#socket, { force: true });
    const bird = ["bird", "-f", "-R", "-c", this.#file, "-s", this.#socket];
    const child = spawn("setpriv", ["--pdeathsig", "KILL", ...bird], { stdio: ["ignore", "ignore", "pipe"] });
    this.#said = "";
    child.stderr.setEncoding("utf8").on("data", (part: string) => {
      this.#said = (this.#said + part).slice(-LAST_WORDS);
    });
    const ended = (reason: string) => {
      if (this.#child === child) this.#child = undefined;
      this.#said ||= reason;
    };
    child.on("error", ({ message }) => ended(message));
    child.on("exit", (status, signal) => ended(`it ended with ${status ?? signal}`));
    this.#child = child;
    const listens = () =>
      this.ask("show status").then(
        () => true,
        () => false,
      );
    const late = setTimeout(() => {
      this.#said += `it does not listen after ${this.#patience.startMs / 1000} s`;
      child.kill("SIGKILL");
    }, this.#patience.startMs);
    try {
      while (this.#child === child) {
        if (await listens()) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    } finally {
      clearTimeout(late);
    }
    throw new Error(`bird does not start: ${this.#said.trim()}`);
  }
}
