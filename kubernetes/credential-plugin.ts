import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import { UnusableKubeconfig } from "./errors.ts";

/** `users[].user.exec` of a kubeconfig (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins). */
export interface ExecConfig {
  apiVersion?: string;
  command?: string;
  args?: string[] | null;
  env?: { name: string; value: string }[] | null;
  installHint?: string;
  provideClusterInfo?: boolean;
}

/** What a plugin gives: `status` of an ExecCredential. */
export interface Credential {
  token?: string;
  clientCertificateData?: string;
  clientKeyData?: string;
  expirationTimestamp?: string;
}

/** A credential is renewed at most this long before it expires, so that a request under way still has a valid one. */
const RENEW_BEFORE_MS = 30_000;

/** A program that returns credentials. They are used until shortly before they expire, or until `forget`. */
export class CredentialPlugin {
  readonly #exec: ExecConfig;
  readonly #folder: string;
  readonly #cluster: (() => object | undefined) | undefined;
  #held: { credential: Credential; until: number } | undefined;
  #asked: Promise<Credential> | undefined;

  /**
   * @param folder of the kubeconfig, which a relative command is resolved against
   * @param cluster `spec.cluster` of the ExecCredential, for plugins that ask for it
   */
  constructor(exec: ExecConfig, folder: string, cluster?: () => object | undefined) {
    this.#exec = exec;
    this.#folder = folder;
    this.#cluster = exec.provideClusterInfo ? cluster : undefined;
  }

  /** Concurrent calls run the plugin once. @throws UnusableKubeconfig */
  async credential(): Promise<Credential> {
    if (this.#held && Date.now() < this.#held.until) return this.#held.credential;
    this.#asked ??= this.#ask().finally(() => {
      this.#asked = undefined;
    });
    return this.#asked;
  }

  /** Call this when the API server refused the credential. */
  forget(): void {
    this.#held = undefined;
  }

  async #ask(): Promise<Credential> {
    const credential = readCredential(await this.#run(), this.#failure);
    const now = Date.now();
    const lives = Date.parse(credential.expirationTimestamp ?? "") - now;
    const until = Number.isNaN(lives) ? Number.POSITIVE_INFINITY : now + lives - Math.min(RENEW_BEFORE_MS, lives / 5);
    this.#held = { credential, until };
    return credential;
  }

  async #run(): Promise<string> {
    const { apiVersion, command, args, env } = this.#exec;
    if (!command) throw this.#failure("its exec section names no command");
    const spec = { interactive: false, ...(this.#cluster && { cluster: this.#cluster() }) };
    const variables = {
      ...process.env,
      ...Object.fromEntries((env ?? []).map(({ name, value }) => [name, value])),
      KUBERNETES_EXEC_INFO: JSON.stringify({ apiVersion, kind: "ExecCredential", spec }),
    };
    // As in kubectl, a command with a slash is relative to the kubeconfig; one without is looked up in PATH.
    const program = command.includes("/") ? resolve(this.#folder, command) : command;
    const child = spawn(program, args ?? [], { env: variables, stdio: ["ignore", "pipe", "pipe"] });
    const ended = new Promise<number | null>((done, failed) => {
      child.on("error", failed);
      child.on("close", done);
    });
    const [code, output, complaint] = await Promise.all([ended, text(child.stdout), text(child.stderr)]).catch(
      (error: NodeJS.ErrnoException) => {
        throw this.#failure(whyNotStarted(program, error), "install it, or use a kubeconfig that needs no plugin");
      },
    );
    if (code !== 0) throw this.#failure(complaint.trim() || `it ended with exit code ${code}`);
    return output;
  }

  readonly #failure = (why: string, next = RUN_IT): UnusableKubeconfig => {
    const { command, installHint } = this.#exec;
    return new UnusableKubeconfig(
      `the kubeconfig's credential plugin ${command ?? ""} returned no credentials: ${why}`,
      { next: installHint ?? next },
    );
  };
}

const RUN_IT = "run the plugin by hand with the arguments in the kubeconfig; it may ask you to log in";

function whyNotStarted(program: string, { code, message }: NodeJS.ErrnoException): string {
  if (code === "ENOENT") return program.includes("/") ? `there is no ${program}` : `there is no ${program} on PATH`;
  return code === "EACCES" ? `${program} may not be run by this user` : message;
}

function readCredential(output: string, failure: (why: string) => Error): Credential {
  try {
    const { status } = JSON.parse(output) as { status?: Credential };
    if (status?.token || status?.clientCertificateData) return status;
  } catch {
    // reported below
  }
  throw failure("it printed no ExecCredential with a token or a certificate");
}
