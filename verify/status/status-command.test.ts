// A lab that is still being made: `status --wait` waits for it, everything else says so and ends.
import { expect, onTestFinished, test, vi } from "vitest";
import { apiServerOf, kubeconfigOf } from "../../kubernetes/kubeconfig.ts";
import { fakeApiServer } from "../../kubernetes/testing/fake-api-server.ts";
import { readView } from "../cluster/view.ts";
import { LabAtWork, NoCluster } from "../connect.ts";
import { noAgent, type Reached } from "../watch/agents.ts";
import { waited } from "./status-command.ts";

const worker = "'up' (process 12)";
const lab = { name: "local", exists: true, machines: [] };

/** A cluster with one node, on which no agent runs yet. @param answers how often it lists its nodes before it refuses to */
async function clusterWithoutAgents(answers: number): Promise<Reached> {
  let asked = 0;
  const server = await fakeApiServer(({ url }) => {
    if (!url.startsWith("/api/v1/nodes")) return [200, { items: [] }];
    return asked++ < answers ? [200, { items: [{ metadata: { name: "master" } }] }] : [403, { message: "no more" }];
  });
  onTestFinished(() => void server.close());
  const api = apiServerOf(kubeconfigOf(server.kubeconfig));
  return { api, view: await readView(api), lab, programs: { lab: "", probe: "", probers: "" }, isLabs: true };
}

test("status waits for the lab's cluster, and then for its agents", async () => {
  const reached = await clusterWithoutAgents(2);
  const said = vi.spyOn(console, "error").mockImplementation(() => {});
  onTestFinished(() => said.mockRestore());
  let tries = 0;
  const reach = async () => {
    if (++tries < 3) throw new LabAtWork(`lab local has no cluster yet: ${worker} works on it`);
    return reached;
  };
  await expect(waited({ lab: "local" }, 600, reach, 1)).rejects.toThrow("no more");
  expect(said.mock.calls.flat().join("\n")).toMatch(
    /^waiting: lab local has no cluster yet: 'up' \(process 12\) works on it\nwaiting: node master: no agent/,
  );
  expect(tries).toBe(3);
});

test("without --wait, and where nothing will change, it ends in words", async () => {
  const reach = (error: Error) => () => Promise.reject(error);
  await expect(waited({ lab: "local" }, 0, reach(new LabAtWork("lab local is made")))).rejects.toThrow(
    "lab local is made. Next: wait until that ends; the command `status --wait` waits for the cluster",
  );
  await expect(waited({ lab: "local" }, 600, reach(new NoCluster("no kubeconfig")))).rejects.toThrow("no kubeconfig");
});

test("a lab's cluster without agents is one that is not deployed yet, not a wrong one", () => {
  const api = { server: "https://10.0.0.1" } as Reached["api"];
  expect(noAgent({ api, lab, isLabs: true }).message).toBe(
    "no agent of this dataplane runs in lab local. Next: `make up` deploys it; if one is at work, wait: the command `status --wait` does",
  );
  expect(noAgent({ api, lab: { ...lab, worker }, isLabs: true })).toBeInstanceOf(LabAtWork);
  expect(noAgent({ api, lab, isLabs: false }).message).toContain(
    "the cluster https://10.0.0.1. Next: is it the right one",
  );
});
