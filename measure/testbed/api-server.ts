// A real API server with etcd on one machine, without kubelet: nothing but what kube-proxy and the agent watch.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import https from "node:https";
import { text } from "node:stream/consumers";
import { API_SERVER_PORT, SERVICE_NETWORK } from "../../components/documents/defaults.ts";
import { startForwarder } from "../../lab/cluster/forwarder.ts";
import { LabFailure } from "../../lab/failure.ts";
import { kubernetesBinary } from "../../lab/installation.ts";
import { collectionPath, type KubernetesObject, node, nodeStatus } from "./kubernetes-objects.ts";
import { type TestbedMachine, waitUntil } from "./testbed-machine.ts";

const settingsFolder = "/var/lib/bench";
/** Where every machine finds how to reach the API server. */
export const kubeconfigPath = "/var/lib/bench/kubeconfig";

export class ApiServer {
  readonly #token = randomBytes(16).toString("hex");
  readonly #machine: TestbedMachine;
  readonly #agent = new https.Agent({ keepAlive: true, maxSockets: 16, rejectUnauthorized: false });
  #port = 0;

  private constructor(machine: TestbedMachine) {
    this.#machine = machine;
  }

  static async start(machine: TestbedMachine): Promise<ApiServer> {
    const server = new ApiServer(machine);
    await server.#writeSettings();
    const kube = kubernetesBinary();
    machine.start("etcd", [kube, "etcd", ...etcdArguments]);
    const running = machine.start("kube-apiserver", [kube, "kube-apiserver", ...apiServerArguments(machine.address)]);
    server.#port = (await startForwarder(machine.lab, machine.name)).port;
    const ready = async () => (await server.#request("GET", "/readyz").catch(() => undefined))?.status === 200;
    await waitUntil(`the API server on ${machine.name}`, 120, ready, running);
    return server;
  }

  /** What kube-proxy and the agent get as --kubeconfig, on their own machine. */
  async writeKubeconfig(machine: TestbedMachine): Promise<void> {
    const config = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        {
          name: "bench",
          cluster: { server: `https://${this.#machine.address}:${API_SERVER_PORT}`, "insecure-skip-tls-verify": true },
        },
      ],
      users: [{ name: "bench", user: { token: this.#token } }],
      contexts: [{ name: "bench", context: { cluster: "bench", user: "bench" } }],
      "current-context": "bench",
    };
    await machine.write(kubeconfigPath, JSON.stringify(config));
  }

  /** @returns the object as the server keeps it. @throws LabFailure with the server's answer. */
  async create(object: KubernetesObject): Promise<KubernetesObject> {
    return this.#write("POST", collectionPath(object), object);
  }

  /** Creates an object of a kind that was defined a moment ago and is not served at once. */
  async createWhenKnown(object: KubernetesObject): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.create(object);
        return;
      } catch (error) {
        if (attempt === 50) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  async remove(object: KubernetesObject): Promise<void> {
    await this.#write("DELETE", `${collectionPath(object)}/${object.metadata.name}`);
  }

  /** A machine as a node: its object, and the address in its status. */
  async addNode({ name, address }: TestbedMachine): Promise<void> {
    await this.create(node(name));
    const path = `/api/v1/nodes/${name}/status`;
    await this.#write("PATCH", path, { status: nodeStatus(address) }, "application/merge-patch+json");
  }

  /** Creates many, a few at a time, and says how many are there. */
  async createAll(objects: readonly KubernetesObject[], told: (done: number) => void = () => {}): Promise<void> {
    let next = 0;
    const worker = async () => {
      for (let object = objects[next++]; object; object = objects[next++]) {
        await this.create(object);
        told(next);
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
  }

  /** "v1.35.0" */
  async version(): Promise<string> {
    return (JSON.parse((await this.#request("GET", "/version")).body) as { gitVersion: string }).gitVersion;
  }

  /** Closes what this process holds open; the programs end with their machine. */
  close(): void {
    this.#agent.destroy();
  }

  async #writeSettings(): Promise<void> {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "pem" },
    });
    await this.#machine.write(`${settingsFolder}/sa.key`, privateKey);
    await this.#machine.write(`${settingsFolder}/sa.pub`, publicKey);
    await this.#machine.write(`${settingsFolder}/tokens.csv`, `${this.#token},bench,bench,system:masters\n`);
  }

  async #write(method: string, path: string, body?: unknown, type?: string): Promise<KubernetesObject> {
    const answer = await this.#request(method, path, body, type);
    const object = JSON.parse(answer.body) as KubernetesObject & { message?: string };
    if (answer.status >= 200 && answer.status < 300) return object;
    throw new LabFailure(`${method} ${path}: ${answer.status} ${object.message ?? answer.body}`);
  }

  #request(method: string, path: string, body?: unknown, type = "application/json") {
    const headers = { authorization: `Bearer ${this.#token}`, "content-type": type };
    const options = { host: "127.0.0.1", port: this.#port, method, path, headers, agent: this.#agent, timeout: 60_000 };
    return new Promise<{ status: number; body: string }>((resolve, reject) => {
      const request = https.request(options, (response) => {
        text(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: answer }), reject);
      });
      request.on("timeout", () => request.destroy(new LabFailure(`the API server was silent for 60 s at ${path}`)));
      request.on("error", reject);
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

// What is written here lives as long as the lab: nothing has to survive a power cut.
const etcdArguments = [
  "--data-dir=/tmp/etcd",
  "--unsafe-no-fsync",
  "--listen-client-urls=http://127.0.0.1:2379",
  "--advertise-client-urls=http://127.0.0.1:2379",
  "--listen-peer-urls=http://127.0.0.1:2380",
  "--log-level=warn",
];

const apiServerArguments = (address: string): string[] => [
  "--etcd-servers=http://127.0.0.1:2379",
  `--secure-port=${API_SERVER_PORT}`,
  `--advertise-address=${address}`,
  "--cert-dir=/tmp/apiserver",
  `--service-cluster-ip-range=${SERVICE_NETWORK}`,
  "--service-account-issuer=https://bench",
  `--service-account-key-file=${settingsFolder}/sa.pub`,
  `--service-account-signing-key-file=${settingsFolder}/sa.key`,
  `--token-auth-file=${settingsFolder}/tokens.csv`,
  "--authorization-mode=AlwaysAllow",
  // Pods are made by hand, without a controller that would give them service accounts.
  "--disable-admission-plugins=ServiceAccount,TaintNodesByCondition",
  "--endpoint-reconciler-type=none",
];
