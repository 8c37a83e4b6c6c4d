import { describe, expect, test } from "vitest";
import { hanging } from "../components/program/fit.ts";
import type { Preview } from "./document.ts";
import { previewSvg } from "./picture/svg.tsx";
import { previewMarkdown } from "./print/markdown.ts";
import { previewText } from "./print/text.ts";
import { runPreview } from "./testing/run-preview.ts";

// The golden files are the output for users. After an intended change: npx vitest run --project unit preview -u
describe.each(["local", "aws"])("a preview of the stack %s", (stack) => {
  let preview: Preview;

  test("needs no cluster and no account, and is the same each time", async () => {
    preview = await runPreview(stack);
    // The parts that all stacks share are checked once.
    if (stack === "aws") expect(await runPreview(stack)).toEqual(preview);
    await expect(`${JSON.stringify(shortened(preview), null, 2)}\n`).toMatchFileSnapshot(`golden/${stack}.json`);
  });

  test("reads well in a terminal and in a pull request", async () => {
    await expect(previewText(shortened(preview))).toMatchFileSnapshot(`golden/${stack}.txt`);
    const narrow = hanging(previewText(shortened(preview)), 80);
    expect(narrow.split("\n").filter((line) => line.length > 80)).toEqual([]);
    await expect(previewMarkdown(shortened(preview))).toMatchFileSnapshot(`golden/${stack}.md`);
  });

  test("has a self-contained picture", () => {
    const svg = previewSvg(preview);
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    expect(svg).not.toMatch(/(href=|src=|url\()/);
    for (const name of ["client1", "master", "node", "nginx", "172.31.1.8:30604"]) expect(svg).toContain(name);
  });
});

/** Only the format of the tree: stacks/golden has the complete list of resources. */
function shortened(preview: Preview): Preview {
  const used = ["Dataplane", "NetworkPolicy", "Namespace", "Service"];
  return { ...preview, resources: preview.resources.filter(({ type }) => used.includes(type.split(":").at(-1) ?? "")) };
}

/** Fifty workers in three zones, half of them spot instances. */
const LARGE = `
import * as k8s from "@pulumi/kubernetes";
import { AwsCluster, Dataplane, MachineRole, ReturnMode } from "./components";
process.env.AWS_REGION = "eu-central-1";
const zones = ["a", "b", "c"].map((letter, index) => ({ cidr: \`172.31.\${index + 1}.0/24\`, zone: \`eu-central-1\${letter}\` }));
const workers = Array.from({ length: 50 }, (_, index) => ({
  name: \`worker\${index}\`, role: MachineRole.Worker, address: \`172.31.\${(index % 3) + 1}.\${100 + index}\`, spot: index % 2 === 1,
}));
const cluster = new AwsCluster("cluster", {
  adminCidrs: ["198.18.0.1/32"],
  subnets: zones,
  machines: [
    { name: "master", role: MachineRole.ControlPlane, address: "172.31.1.8" }, ...workers,
    { name: "client1", role: MachineRole.Client, address: "172.31.1.55" },
  ],
});
const provider = new k8s.Provider("kubernetes", { kubeconfig: cluster.kubeconfig });
new Dataplane("dataplane", { apiServer: cluster.apiServer, returnMode: ReturnMode.Tunnel, imageRegistry: "images.example.com/team" }, { provider });
for (let index = 0; index < 20; index++) {
  const [name, app] = [\`shop\${index}\`, { app: \`shop\${index}\` }];
  const containers = [{ name, image: "nginx", ports: [{ containerPort: 80 }] }];
  new k8s.apps.v1.Deployment(name, { metadata: { name }, spec: { replicas: 3, selector: { matchLabels: app }, template: { metadata: { labels: app }, spec: { containers } } } }, { provider });
  new k8s.core.v1.Service(name, { metadata: { name }, spec: { type: "NodePort", selector: app, ports: [{ port: 80, nodePort: 30600 + index }] } }, { provider });
}
`;

test("a stack of fifty workers stays readable", async () => {
  const preview = await runPreview("large", LARGE);
  expect(preview.machines.filter(({ role }) => role === "worker")).toHaveLength(50);
  expect(preview.cost.filter(({ what }) => what === "instances")).toEqual([
    { what: "instances", kind: "t3.medium, eu-central-1a", count: 10 },
    { what: "instances", kind: "t3.medium, eu-central-1b", count: 8 },
    { what: "instances", kind: "t3.medium, eu-central-1c", count: 8 },
    { what: "instances", kind: "t3.medium, spot, eu-central-1a", count: 8 },
    { what: "instances", kind: "t3.medium, spot, eu-central-1b", count: 9 },
    { what: "instances", kind: "t3.medium, spot, eu-central-1c", count: 8 },
    { what: "instances", kind: "t3.micro, eu-central-1a", count: 1 },
  ]);
  expect(preview.ways).toHaveLength(4);
  expect(preview.ways[0]?.reply).toBe("viaEntryNode");
  expect(preview.warnings).toEqual([]);
  const chapters = previewText(preview).split("\n\nWhere packets go\n")[1] ?? "";
  expect(chapters).toContain("workers: worker0 172.31.1.100, worker1 172.31.2.101");
  expect(chapters).toContain("and 42 more");
  expect(chapters.split("\n").length).toBeLessThan(120);
  expect(previewMarkdown(preview).length).toBeLessThan(65_536);
});
