// Objects for the agents of a bare cluster: files on each node, and, where agents ask a server, its objects too (object-server.ts).
import type { ChildProcess } from "node:child_process";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { machineDisk } from "../../../lab/names.ts";
import type { Machines } from "./machines.ts";
import { clients, type KubernetesObject, nodes } from "./objects.ts";

const SERVER_PORT = 8001;

export class ObjectFiles {
  readonly #machines: Machines;
  /** Each node's /tmp, as the host sees it. */
  readonly #places: readonly string[];
  #server: ChildProcess | undefined;

  constructor(machines: Machines) {
    this.#machines = machines;
    this.#places = Object.keys(nodes).map((name) => join(machineDisk(machines.lab, name), "tmp"));
    for (const folder of this.#folders()) mkdirSync(folder);
  }

  /** Writes objects as kubectl apply would: the same name replaces. Agents see each file at once or not at all. */
  apply(...objects: KubernetesObject[]): void {
    for (const object of objects) {
      this.#server?.stdin?.write(`${JSON.stringify(object)}\n`);
      for (const folder of this.#folders()) {
        const file = join(folder, fileOf(object));
        writeFileSync(`${file}.new`, JSON.stringify(object));
        renameSync(`${file}.new`, file);
      }
    }
  }

  remove(...objects: KubernetesObject[]): void {
    for (const object of objects) {
      this.#server?.stdin?.write(`${JSON.stringify({ remove: object })}\n`);
      for (const folder of this.#folders()) rmSync(join(folder, fileOf(object)));
    }
  }

  /** A file in each node's /tmp. */
  write(name: string, document: object): void {
    for (const place of this.#places) writeFileSync(join(place, name), JSON.stringify(document));
  }

  /** Serves them on client2 from now on. */
  async serve(): Promise<void> {
    const program = [process.execPath, join(import.meta.dirname, "object-server.ts"), String(SERVER_PORT)];
    const server = this.#machines.spawn("client2", program, "pipe");
    this.#server = server;
    await new Promise((resolve) => server.stdout?.once("data", resolve));
    const url = `https://${clients.client2}:${SERVER_PORT}`;
    this.write("kubeconfig.json", {
      "current-context": "server",
      contexts: [{ name: "server", context: { cluster: "server" } }],
      clusters: [{ name: "server", cluster: { server: url, "insecure-skip-tls-verify": true } }],
    });
  }

  get isServed(): boolean {
    return this.#server !== undefined;
  }

  /** What a path of the API names at the server. */
  async at<T>(path: string): Promise<T> {
    const url = `https://127.0.0.1:${SERVER_PORT}${path}`;
    return JSON.parse(await this.#machines.run("client2", ["curl", "--silent", "--insecure", url])) as T;
  }

  close(): void {
    this.#server?.kill("SIGKILL");
  }

  #folders(): string[] {
    return this.#places.map((place) => join(place, "objects"));
  }
}

function fileOf({ apiVersion, kind, metadata }: KubernetesObject): string {
  const group = apiVersion.startsWith("projectcalico.org/") ? "calico-" : "";
  return `${group}${kind.toLowerCase()}-${metadata.namespace ?? "cluster"}-${metadata.name}.json`;
}
