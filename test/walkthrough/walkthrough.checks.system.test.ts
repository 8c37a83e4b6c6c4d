// What people ask of the walk-through's cluster: checks, a preflight, traces, a comparison, and how faults are found. The tests form one
// story: each continues from the previous one.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { keepEvidence } from "./evidence.ts";
import { isLeft } from "./host.ts";
import { AGENTLESS, CHECK, OPEN } from "./nginx-checks.ts";
import { CLIENT, ENTRIES, ENTRY, FAMILIES, MINUTES, observationsOf } from "./observations.ts";
import { type Comparison, type Preflight, type Row, wayOf } from "./results.ts";
import { commandsOf, ended, root } from "./stack.ts";
import { oneStory } from "./story.ts";

const commands = commandsOf("ask");
const { check, compare, inMachine, preflight, result, stack, trace } = commands;
const { podIdentities, untilHandled, untilKubeProxyIsGone, verification } = observationsOf(commands);
const scratch = mkdtempSync(join(tmpdir(), "walkthrough-"));
oneStory((test) => keepEvidence(commands, test));

beforeAll(async () => {
  // Left by a test that was killed.
  if (isLeft(commands.LAB)) await ended(stack("down"));
  await ended(stack("up")).catch(async (error: unknown) => {
    await keepEvidence(commands, "up");
    throw error;
  });
}, 30 * MINUTES);

afterAll(async () => {
  await stack("down").end;
  rmSync(scratch, { recursive: true });
}, 15 * MINUTES);

/** What a check prints that does not hold. A busy machine may leave rows undecided, so it is asked again for what is expected of it. */
async function failing(file: string): Promise<string> {
  const { stdout, stderr } = await ended(check(file), 1);
  return stdout + stderr;
}

// One that holds follows below.
test.each([
  ["does not hold", CHECK("allowed", 5), 1],
  ["is written wrong", CHECK("maybe"), 2],
])("a check file that %s", async (_, content, status) => {
  const file = join(scratch, "nginx.check.yaml");
  writeFileSync(file, content);
  const proof = verification();
  await ended(check(file), status);
  // `make report` still shows the deployment's results.
  expect(verification()).toEqual(proof);
});

// In one run, which starts the probers once. Its output names the rows that do not hold.
test(
  "all rows of the documentation's check files, and of those for every dataplane, hold",
  async () => {
    const folders = [join(root, "docs", "checks"), join(import.meta.dirname, "checks")];
    const files = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
    await ended(check(...files));
    const { rows } = JSON.parse(readFileSync(result("check.json"), "utf8")) as { rows: Row[] };
    const names = files.map((file) => (parse(readFileSync(file, "utf8")) as { name: string }).name);
    for (const name of names) expect(rows.map(({ step }) => step)).toContainEqual(expect.stringContaining(name));
  },
  30 * MINUTES,
);

test("a preflight finds no obstacle except another network plugin, and changes nothing", async () => {
  const pods = await podIdentities();
  const flannel = {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: "kube-flannel-ds", namespace: "kube-system" },
    spec: {
      selector: { matchLabels: { app: "flannel" } },
      // On no node: its name is enough.
      template: {
        metadata: { labels: { app: "flannel" } },
        spec: { nodeSelector: { nowhere: "" }, containers: [{ name: "flannel", image: "flannel" }] },
      },
    },
  };
  const kubectl = (line: string) => ended(inMachine("master", "sh", "-c", line));
  await kubectl(`kubectl apply -f - <<'END'\n${JSON.stringify(flannel)}\nEND`);
  try {
    const { findings }: Preflight = JSON.parse((await ended(preflight(), 1)).stdout);
    expect(findings.filter(({ severity }) => severity === "refused").map(({ found }) => found)).toEqual([
      "Flannel: DaemonSet kube-system/kube-flannel-ds",
    ]);
    expect(findings.find(({ check }) => check === "BPF features")?.nodes.sort()).toEqual(["master", "node"]);
  } finally {
    await kubectl("kubectl delete daemonset -n kube-system kube-flannel-ds");
  }
  expect(await podIdentities()).toEqual(pods);
});

test.each(FAMILIES)("a trace shows the steps of one connection over %s on both nodes", async (family) => {
  const words = ["master", "node", "default/nginx", CLIENT[family]];
  // A node without a processor tells its steps too late.
  const missing = async () => {
    const { stdout } = await ended(trace("client1", `tcp://${ENTRIES[family]}`));
    return words.filter((word) => !stdout.includes(word));
  };
  await expect.poll(missing).toEqual([]);
});

test(
  "a dataplane that differs from the declaration is detected, with the reason",
  async () => {
    const file = join(scratch, "declared.check.yaml");
    writeFileSync(file, CHECK("dropped", 5));
    const switchTo = async (mode: "Tunnel" | "DSR") => {
      const patch = JSON.stringify({ spec: { bpfExternalServiceMode: mode } });
      const words = ["kubectl", "patch", "felixconfiguration", "default", "--type=merge", "--patch", patch];
      await ended(inMachine("master", ...words));
      await untilHandled({ returnMode: mode.toLowerCase() });
    };
    await switchTo("Tunnel");
    try {
      await expect.poll(() => failing(file)).toMatch(/reply passed master.*FelixConfiguration default says Tunnel/s);
    } finally {
      await switchTo("DSR");
    }
    writeFileSync(file, CHECK("dropped"));
    const proof = verification();
    await ended(check(file));
    // `make report` still shows the deployment's results.
    expect(verification()).toEqual(proof);
  },
  15 * MINUTES,
);

test(
  "a node that masquerades its clients behind the declaration's back is caught, with its address",
  async () => {
    const file = join(scratch, "open.check.yaml");
    writeFileSync(file, OPEN);
    const kubectl = (...words: string[]) => ended(inMachine("master", "kubectl", ...words));
    const address = "jsonpath={.items[0].status.podIP}";
    const { stdout: nginx } = await kubectl("get", "pods", "--selector=app=nginx", "--output", address);
    const annotation = "ebpf-dataplane.io/service-handling";
    const handledBy = async (who: string) => {
      await kubectl("annotate", "--overwrite", "felixconfiguration", "default", `${annotation}=${who}`);
      await untilHandled({ serviceHandling: who });
    };
    const rules = `table ip masquerading {
      chain destination {
        type nat hook prerouting priority dstnat
        fib daddr type local tcp dport 30604 dnat to ${nginx}:80
      }
      chain source {
        type nat hook postrouting priority srcnat
        ct status dnat masquerade
      }
    }`;
    await ended(inMachine("master", "nft", rules));
    try {
      await handledBy("KubeProxyNftables");
      let said = "";
      const saying = async () => {
        said = await failing(file);
        return said;
      };
      await expect
        .poll(saying)
        .toMatch(/saw 172\.31\.1\.8 \(node master\), not client1.*rewrites the source on node master.*SNAT/);
      expect(said).toContain(`${annotation}: KubeProxyNftables`);
    } finally {
      await handledBy("Ebpf");
      await ended(inMachine("master", "nft", "delete", "table", "ip", "masquerading"));
    }
  },
  15 * MINUTES,
);

test(
  "a comparison shows for each service mode which clients are served and what the server sees",
  async () => {
    await ended(compare("--rounds", "1", "--connections", "30"));
    const { modes, expected, topology }: Comparison = JSON.parse(readFileSync(result("compare.json"), "utf8"));
    expect(expected.filter(({ pass }) => !pass)).toEqual([]);
    for (const family of FAMILIES) {
      const seen = (mode: string) => {
        const found = modes.find((one) => one.mode === mode);
        return family === "IPv4" ? found : found?.overIpv6;
      };
      for (const mode of ["KubeProxyIptables", "KubeProxyNftables"])
        expect(seen(mode)).toMatchObject({
          served: { client1: false, client2: false },
          loggedSources: [ENTRY[family]],
        });
      for (const mode of ["EbpfTunnel", "EbpfDsr", "Direct"])
        expect(seen(mode)).toMatchObject({ served: { client1: true, client2: false } });
      expect(seen("EbpfTunnel")?.replyPath).toBe("viaEntryNode");
      expect(seen("EbpfDsr")?.replyPath).toBe("direct");
    }
    expect(modes.find(({ mode }) => mode === "EbpfDsr")?.connections).toBeGreaterThan(0);
    const around = ["client1", "master", "node", "nginx", "node", "master", "client1"];
    expect(Object.fromEntries(topology.paths.map((path) => [path.mode, wayOf(path)]))).toEqual({
      KubeProxyIptables: around,
      KubeProxyNftables: around,
      EbpfTunnel: around,
      EbpfDsr: ["client1", "master", "node", "nginx", "node", "client1"],
      Direct: ["client1", "node", "nginx", "node", "client1"],
    });
  },
  40 * MINUTES,
);

test(
  "a verification needs no agent: it shows what holds without them, and what does not",
  async () => {
    const [file, kubectl] = [join(scratch, "agentless.check.yaml"), ["kubectl", "-n", "ebpf-dataplane"]];
    writeFileSync(file, AGENTLESS(120));
    await untilKubeProxyIsGone(); // else what the comparison left would go on without agents
    await ended(
      inMachine("master", ...kubectl, "delete", "daemonset", "ebpf-dataplane", "--cascade=foreground", "--wait"),
    );
    await ended(check(file)); // pinned programs keep running
    for (const machine of ["master", "node"])
      await ended(inMachine(machine, "rm", "--recursive", "/sys/fs/bpf/ebpf-dataplane"));
    writeFileSync(file, AGENTLESS(5));
    const observed = async () => {
      await failing(file);
      const { rows } = JSON.parse(readFileSync(result("check.json"), "utf8")) as { rows: Row[] };
      return rows.map(({ from, observed }) => [from, observed.split(" ")[0]]);
    };
    await expect.poll(observed).toEqual([
      ["client1", "rejected"],
      ["client1", "rejected"],
      ["client2", "rejected"],
      ["pod/default/app=nginx", "dropped"],
      ["node/master", "allowed"],
    ]);
    const { stdout } = await ended(inMachine("master", "kubectl", "get", "pods", "--all-namespaces"));
    expect(stdout).not.toContain("ebpf-dataplane-probe");
  },
  15 * MINUTES,
);
