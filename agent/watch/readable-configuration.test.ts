import { expect, test } from "vitest";
import { SnapshotStore } from "./snapshot-store.ts";

const seen = (annotations: object, spec: object = {}, store = new SnapshotStore(() => {})) => {
  store.put("felixConfigurations", { metadata: { name: "default", annotations }, spec });
  const problems = store.problems().map(({ path, message }) => `${path}: ${message}`);
  return { configuration: store.list("felixConfigurations")[0], problems };
};

test("one invalid field does not disable the others", () => {
  const { configuration, problems } = seen(
    { "ebpf-dataplane.io/external-ips": "Deny", "ebpf-dataplane.io/socket-translation": "Off", "other.example/x": "y" },
    { bpfExternalServiceMode: "DSR", bpfLogLevel: "Debug" },
  );
  expect(configuration?.metadata.annotations).toEqual({ "ebpf-dataplane.io/external-ips": "Deny" });
  expect(configuration?.spec).toEqual({ bpfExternalServiceMode: "DSR" });
  expect(problems).toHaveLength(2);
  expect(problems[1]?.replace(/ \(allowed: bpfExternalServiceMode, [^)]*\)/, "")).toBe(
    'spec.bpfLogLevel: unknown key "bpfLogLevel"; the other fields are in force, and this one keeps its last good value until it is fixed.',
  );
});

test("a misspelt annotation of ours is reported", () => {
  const { configuration, problems } = seen({
    "ebpf-dataplane.io/external-ip": "Deny",
    "ebpf-dataplane.io/service-handling": "KubeProxyNftables",
  });
  expect(configuration?.metadata.annotations).toEqual({ "ebpf-dataplane.io/service-handling": "KubeProxyNftables" });
  expect(problems).toEqual([expect.stringMatching(/^metadata\.annotations\.ebpf-dataplane\.io\/external-ip: /)]);
});

test("valid fields take effect at once, and invalid ones keep their last valid value", () => {
  const store = new SnapshotStore(() => {});
  seen({ "ebpf-dataplane.io/service-handling": "KubeProxyNftables" }, { bpfExternalServiceMode: "DSR" }, store);
  const { configuration, problems } = seen(
    { "ebpf-dataplane.io/service-handling": "KubeProxy", "ebpf-dataplane.io/external-ips": "Deny" },
    { allowVXLANPacketsFromWorkloads: true },
    store,
  );
  expect(configuration?.metadata.annotations).toEqual({
    "ebpf-dataplane.io/service-handling": "KubeProxyNftables",
    "ebpf-dataplane.io/external-ips": "Deny",
  });
  expect(configuration?.spec).toEqual({ allowVXLANPacketsFromWorkloads: true });
  expect(problems).toEqual([
    expect.stringMatching(
      /service-handling: .*; the other fields are in force, and this one keeps its last good value until it is fixed\.$/,
    ),
  ]);
});
