// What is compared with the kernel's maps is the bytes that they hold.
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { service } from "../../model/objects/core.ts";
import { finish } from "../../model/steps.ts";
import { snapshotOf } from "../../test/model/random-snapshot.ts";
import { Compiler } from "../compile/compile.ts";
import { noKernel, temporaryBpffs } from "../kernel/bpffs.fixture.ts";
import { load } from "../kernel/load.ts";
import { enterNamespace } from "../kernel/namespace.fixture.ts";
import { compilePassObjects } from "../kernel/pass-objects.fixture.ts";
import { pinsUnder } from "../kernel/pins.ts";
import { Reconciler } from "./reconciler.ts";

if (noKernel) console.log(noKernel);

describe.skipIf(noKernel)("a comparison with the kernel's maps", () => {
  const { folder, bpf } = temporaryBpffs();
  enterNamespace();
  const objects = join(folder, "objects");
  beforeAll(() => compilePassObjects(objects));

  test("finds nothing after they were written, and the map that another program has changed", () => {
    const pod = { name: "web", namespace: "alpha", labels: { app: "web" }, http: 80, dns: undefined, local: true };
    const from = [{ ipBlock: { cidr: "172.31.1.0/24" } }];
    const policy = { podSelector: {}, ingress: [{ from, ports: [{ port: 80 }] }] };
    const metadata = { name: "web", namespace: "alpha" };
    const clusterIP = { clusterIP: "10.96.0.10", clusterIPs: ["10.96.0.10"] };
    const snapshot = {
      ...snapshotOf({ namespaceLabels: { alpha: {} }, pods: [pod], policies: [{ metadata, spec: policy }] }),
      services: [service.parse({ metadata, spec: { ports: [{ port: 80 }], ...clusterIP } })],
    };
    const { maps } = load({ objects, pins: pinsUnder(join(bpf, "compared")), logFile: join(folder, "verifier.log") });
    const reconciler = new Reconciler(maps);
    const { maps: desired } = new Compiler().compile(snapshot);
    expect(reconciler.sync(desired)).toMatchObject({ problems: [], pending: 0 });
    for (const map of ["frontends", "policies", "locations", "endpoints", "settings"] as const)
      expect(maps[map].entries().length, map).toBeGreaterThan(0);
    expect(finish(reconciler.comparing())).toEqual([]);

    for (const [prefix, location] of maps.locations.entries().slice(0, 1))
      maps.locations.update([[prefix, { ...location, flags: location.flags ^ 1 }]]);
    maps.frontends.delete(
      maps.frontends
        .entries()
        .slice(0, 1)
        .map(([frontend]) => frontend),
    );
    expect(finish(reconciler.comparing()).toSorted()).toEqual(["frontends", "locations"]);
  });
});
