import { expect, test } from "vitest";
import { node, pod, service } from "../../../model/objects/core.ts";
import { NO_NAMES } from "../../compile/desired.ts";
import { Names } from "./names.ts";

test("a pod's host port has a name at its own node only", () => {
  const machine = (name: string, address: string) =>
    node.parse({ metadata: { name }, status: { addresses: [{ type: "InternalIP", address }] } });
  const objects = {
    nodes: [machine("master", "172.31.1.8"), machine("node", "172.31.1.207")],
    pods: [
      pod.parse({
        metadata: { name: "web", namespace: "default" },
        spec: { nodeName: "node", containers: [{ ports: [{ containerPort: 80, hostPort: 8080 }] }] },
      }),
    ],
    services: [],
  };
  const names = new Names(
    () => objects,
    () => NO_NAMES,
  );
  expect(names.service("172.31.1.207", 8080, 6)).toBe("default/web:8080");
  expect(names.service("172.31.1.207", 8080, 17)).toBeUndefined();
  expect(names.service("172.31.1.8", 8080, 6)).toBeUndefined();
});

test("an address has the name of the pod that has it now, wherever a finished one is listed", () => {
  const podAt = (name: string, phase: string) =>
    pod.parse({
      metadata: { name, namespace: "default" },
      spec: {},
      status: { phase, podIPs: [{ ip: "10.244.0.7" }] },
    });
  const [job, web] = [podAt("job", "Succeeded"), podAt("web", "Running")];
  const nameIn = (pods: (typeof job)[]) =>
    new Names(
      () => ({ nodes: [], pods, services: [] }),
      () => NO_NAMES,
    ).owner("10.244.0.7");
  expect([nameIn([job, web]), nameIn([web, job]), nameIn([job])]).toEqual([
    "pod default/web",
    "pod default/web",
    "pod default/job",
  ]);
});

test("Services are read again only where they have changed, whatever pods come", () => {
  const podAt = (name: string, ip: string) =>
    pod.parse({ metadata: { name, namespace: "default" }, spec: {}, status: { podIPs: [{ ip }] } });
  const web = service.parse({
    metadata: { name: "web", namespace: "default" },
    spec: { clusterIP: "10.96.0.1", clusterIPs: ["10.96.0.1"], ports: [{ port: 80 }] },
  });
  let reads = 0;
  const services = [
    {
      metadata: web.metadata,
      get spec() {
        reads++;
        return web.spec;
      },
    },
  ] as (typeof web)[];
  const objects = { nodes: [], pods: [podAt("a", "10.244.0.1")], services };
  const names = new Names(
    () => ({ ...objects }),
    () => NO_NAMES,
  );
  const look = () => [names.service("10.96.0.1", 80, 6), names.owner("10.244.0.1"), names.owner("10.244.0.2")];
  expect(look()).toEqual(["default/web", "pod default/a", undefined]);
  const before = reads;
  objects.pods = [podAt("b", "10.244.0.2")];
  expect(look()).toEqual(["default/web", undefined, "pod default/b"]);
  expect(reads).toBe(before);
  objects.services = [];
  expect(look()).toEqual([undefined, undefined, "pod default/b"]);
});
