import { expect, test } from "vitest";
import { namespace, pod, service } from "./core.ts";
import { ignoredAnnotations } from "./ignored.ts";

const metadata = (annotations: Record<string, string>) => ({ name: "a", namespace: "default", annotations });
const MISSPELT = { "ebpf-dataplane.io/load-balancer-ip": "192.0.2.1" };

test("a misspelt annotation of a Service is named with those that it can have", () => {
  const spec = { ports: [{ port: 80 }] };
  const ours = service.parse({
    metadata: metadata({ ...MISSPELT, "ebpf-dataplane.io/load-balancer-ips": "192.0.2.1", "example.com/x": "y" }),
    spec,
  });
  const problems = ignoredAnnotations("Service", ours.metadata);
  expect(problems).toMatchObject([
    { kind: "Service", name: "a", path: "metadata.annotations[ebpf-dataplane.io/load-balancer-ip]" },
  ]);
  for (const name of ["load-balancer-ips", "load-balancer-sharing", "return-mode"])
    expect(problems[0]?.message).toContain(`ebpf-dataplane.io/${name}`);
});

test("on a pod or a namespace annotations of Services are unknown, but for our own marks", () => {
  const marks = { "ebpf-dataplane.io/settings-digest": "1", "ebpf-dataplane.io/made-by-check": "true" };
  const annotated = { metadata: metadata({ "ebpf-dataplane.io/return-mode": "DSR", ...marks }) };
  const a = pod.parse({ ...annotated, spec: { containers: [] } });
  for (const problems of [
    ignoredAnnotations("Pod", a.metadata),
    ignoredAnnotations("Namespace", namespace.parse(annotated).metadata),
  ]) {
    expect(problems.map(({ path }) => path)).toEqual(["metadata.annotations[ebpf-dataplane.io/return-mode]"]);
    expect(problems[0]?.message).toMatch(/has none of this prefix|a Pod can have ebpf-dataplane.io\/weight/);
  }
});
