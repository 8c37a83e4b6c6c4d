import type { Upgrade } from "../../components/documents/upgrade.ts";
import { upgradeRefusal } from "../../components/release/kubernetes-release.ts";
import { type Clock, realClock, until } from "../../kubernetes/patience.ts";
import type { Api } from "../../kubernetes/transport.ts";
import { ClusterFailure } from "../failure.ts";
import { doubtAbout } from "../node-truth.ts";
import { persistently, whileAway } from "../while-away.ts";
import { evictFrom, irreplaceable } from "./drain.ts";
import { cordon, isDone, type NodeState, survey, uncordon } from "./nodes.ts";
import { runStep } from "./step.ts";

interface Work {
  api: Api;
  wanted: Upgrade;
  say: (line: string) => void;
  clock: Clock;
}

/**
 * Brings all nodes of a cluster to one release of Kubernetes, one after the other, the control plane first. It keeps no state: the
 * remaining work is read from the cluster, so the next run continues an interrupted one.
 */
export async function upgrade(
  wanted: Upgrade,
  api: Api,
  say: (line: string) => void,
  clock: Clock = realClock,
): Promise<void> {
  const work = { api, wanted, say, clock };
  const nodes = await persistently(() => survey(api), clock);
  const behind = nodes.filter((node) => !isDone(node, wanted.version));
  if (behind.length === 0) return;
  await requirePossible(work, nodes, behind);
  say(
    `to Kubernetes ${wanted.version}, one by one: ${behind.map(({ name, release }) => `${name} (${release})`).join(", ")}`,
  );
  for (const { name } of behind) await upgradeNode(work, name);
}

/** Refuses, before anything is changed, an upgrade that could not finish. */
async function requirePossible(
  { api, wanted, say, clock }: Work,
  nodes: NodeState[],
  behind: NodeState[],
): Promise<void> {
  const refusal = upgradeRefusal(nodes, wanted.version);
  if (refusal) throw new ClusterFailure(refusal, "nothing was changed");
  const names = behind.map(({ name }) => name);
  const alone = await persistently(() => irreplaceable(api, names), clock);
  if (alone.length > 0) {
    const next = "delete them, or give them an owner such as a Deployment; nothing was changed";
    throw new ClusterFailure(`draining would delete pods that no controller re-creates: ${alone.join(", ")}`, next);
  }
  // A kubelet that a previous run has just started may not be Ready yet.
  const missing = await until(() => notReady(api), 120, say, { clock });
  if (missing)
    throw new ClusterFailure(`the upgrade cannot begin: ${missing}`, "repair that first; nothing was changed");
}

async function notReady(api: Api): Promise<string | undefined> {
  return whileAway(async () => {
    const names = (await survey(api)).filter(({ isReady }) => !isReady).map(({ name }) => name);
    return names.length > 0 ? `${names.join(", ")} to be Ready` : undefined;
  });
}

/** The order is kubeadm's: its part first, then without pods the kubelet (https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-upgrade/). */
async function upgradeNode(work: Work, name: string): Promise<void> {
  const { api, wanted, say, clock } = work;
  const begun = clock.now();
  const now = async () => (await survey(api)).find((node) => node.name === name);
  const node = await persistently(now, clock);
  if (!node) return;
  if (node.release !== wanted.version) {
    await runStep(api, node, "components", wanted.version, work);
    await persistently(() => cordon(api, node, wanted.version), clock);
    await drain(work, name);
    await runStep(api, node, "kubelet", wanted.version, work);
  }
  const look = () =>
    whileAway(async () => {
      const state = await now();
      if (state?.release !== wanted.version || !state.isReady) return `${name} to be Ready with ${wanted.version}`;
      return doubtAbout(api, name);
    });
  const missing = await until(look, wanted.readySeconds, say, { clock });
  if (missing) {
    const next = `read the log of its kubelet (journalctl -u kubelet on ${name}), then run the same command again: it continues here`;
    throw new ClusterFailure(`node ${name} did not come back: ${missing}`, next);
  }
  const done = await persistently(now, clock);
  if (done) await persistently(() => uncordon(api, done), clock);
  say(`${name} runs ${wanted.version} (${Math.round((clock.now() - begun) / 1000)} s)`);
}

async function drain({ api, wanted, say, clock }: Work, node: string): Promise<void> {
  const missing = await until(() => whileAway(() => evictFrom(api, node)), wanted.drainSeconds, say, { clock });
  if (missing === undefined) return;
  throw new ClusterFailure(
    `node ${node} is not empty after ${Math.round(wanted.drainSeconds / 60)} min: ${missing}`,
    `move those pods to other nodes, then run the same command again; until then the node stays cordoned (to revert: kubectl uncordon ${node})`,
  );
}
