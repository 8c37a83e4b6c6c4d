// A real API server with etcd on one machine, without kubelet, for kube-proxy and the agent to watch.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { API_SERVER_PORT, SERVICE_NETWORK } from "../../components/documents/defaults.ts";
import { bearer } from "../../kubernetes/access.ts";
import { createObject } from "../../kubernetes/create.ts";
import { deleteObject, deleteObjects } from "../../kubernetes/delete.ts";
import { getObject, getText } from "../../kubernetes/get.ts";
import { patchObject } from "../../kubernetes/patch.ts";
import { patiently } from "../../kubernetes/patience.ts";
import { type Api, ApiServer } from "../../kubernetes/transport.ts";
import { startForwarder } from "../../lab/cluster/forwarder.ts";
import { kubernetesBinary } from "../../lab/installation.ts";
import { collectionPath, type KubernetesObject, node, nodeStatus } from "./kubernetes-objects.ts";
import { type TestbedMachine, waitUntil } from "./testbed-machine.ts";

const settingsFolder = "/var/lib/bench";
/** The kubeconfig on every machine. */
export const kubeconfigPath = "/var/lib/bench/kubeconfig";

/** Timeout of one request, milliseconds. */
const ANSWER_MS = 60_000;

export class TestbedApiServer {
  readonly #token: string;
  readonly #machine: TestbedMachine;
  readonly #api: Api;

  private constructor(machine: TestbedMachine, token: string, api: Api) {
    this.#machine = machine;
    this.#token = token;
    this.#api = api;
  }

  /** @param authorization RBAC: others than the one user of the kubeconfig have the rights that roles give them */
  static async start(
    machine: TestbedMachine,
    authorization: "AlwaysAllow" | "RBAC" = "AlwaysAllow",
  ): Promise<TestbedApiServer> {
    const token = randomBytes(16).toString("hex");
    await writeSettings(machine, token);
    const kube = kubernetesBinary();
    machine.start("etcd", [kube, "etcd", ...etcdArguments]);
    const words = [...apiServerArguments(machine.address), `--authorization-mode=${authorization}`];
    const running = machine.start("kube-apiserver", [kube, "kube-apiserver", ...words]);
    const { port } = await startForwarder(machine.lab, machine.name);
    const api = new ApiServer(bearer(`https://127.0.0.1:${port}`, token, { rejectUnauthorized: false }), ANSWER_MS);
    const ready = () => getText(api, "/readyz").then(Boolean, () => false);
    await waitUntil(`the API server on ${machine.name}`, 600, ready, running);
    return new TestbedApiServer(machine, token, api);
  }

  /** Value of --kubeconfig for kube-proxy and the agent, on their own machine. */
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

  /** @returns the object as the server keeps it. @throws KubernetesError */
  async create(object: KubernetesObject): Promise<KubernetesObject> {
    return createObject(this.#api, collectionPath(object), object);
  }

  /** Creates an object of a kind that was just defined and is not served immediately. */
  async createWhenKnown(object: KubernetesObject): Promise<void> {
    await patiently(() => this.create(object), { limitMs: () => 120_000, everyMs: 100 });
  }

  /** Changes the fields that the object has. */
  async change(object: KubernetesObject): Promise<void> {
    await patchObject(this.#api, `${collectionPath(object)}/${object.metadata.name}`, object);
  }

  /** Removes all objects with a label ("name=value") from the collection of `like`. */
  async removeAll(like: KubernetesObject, labelSelector: string): Promise<void> {
    await deleteObjects(this.#api, collectionPath(like), { labelSelector });
  }

  async remove(object: KubernetesObject): Promise<void> {
    await deleteObject(this.#api, `${collectionPath(object)}/${object.metadata.name}`);
  }

  /** A machine as a node: its object, and the address in its status. */
  async addNode({ name, address }: TestbedMachine): Promise<void> {
    await this.create(node(name));
    await patchObject(this.#api, `/api/v1/nodes/${name}/status`, { status: nodeStatus(address) });
  }

  /** Creates many objects, a few at a time, and reports the count. */
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
    return (await getObject<{ gitVersion: string }>(this.#api, "/version")).gitVersion;
  }
}

async function writeSettings(machine: TestbedMachine, token: string): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  await machine.write(`${settingsFolder}/sa.key`, privateKey);
  await machine.write(`${settingsFolder}/sa.pub`, publicKey);
  await machine.write(`${settingsFolder}/tokens.csv`, `${token},bench,bench,system:masters\n`);
}

// The data is needed only as long as the lab: it need not survive a power cut.
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
  // Pods are made by hand, without a controller that would give them service accounts.
  "--disable-admission-plugins=ServiceAccount,TaintNodesByCondition",
  "--endpoint-reconciler-type=none",
];
