import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { felixConfiguration } from "../../model/objects/calico.ts";
import { keepMapSizes, keptMapSizes, sizesFor } from "./kept-map-sizes.ts";

describe("the sizes that the objects name", () => {
  const folder = mkdtempSync(join(tmpdir(), "sizes-"));
  afterEach(() => rmSync(join(folder, "map-sizes.json"), { force: true }));
  const configured = (spec: object, name = "default") => [felixConfiguration.parse({ metadata: { name }, spec })];
  const started = () => sizesFor(keptMapSizes(folder));

  test("an agent starts again once for each change, and not for anything else", () => {
    const small = configured({ bpfMapSizeConntrack: 2_048, bpfExternalServiceMode: "DSR" });
    expect(keepMapSizes(folder, started(), [])).toBe(false);
    expect(keepMapSizes(folder, started(), configured({ bpfMapSizeConntrack: 2_048 }, "node.worker"))).toBe(false);
    expect(keepMapSizes(folder, started(), small)).toBe(true);
    expect(started()).toMatchObject({ proven: 1_536, unproven: 512 });
    expect(keepMapSizes(folder, started(), small)).toBe(false);
    expect(keepMapSizes(folder, started(), [])).toBe(true);
    expect(keepMapSizes(folder, started(), [])).toBe(false);
  });

  test("a damaged file says nothing", () => {
    for (const text of ["", "{", "[]", '{"bpfMapSizeConntrack": -5}', '{"bpfMapSizeOther": 5}']) {
      writeFileSync(join(folder, "map-sizes.json"), text);
      expect(keptMapSizes(folder)).toEqual({});
    }
  });

  test("where the file cannot be written the agent does not start again and again", () => {
    expect(() => keepMapSizes(join(folder, "missing"), started(), configured({ bpfMapSizeConntrack: 2_048 }))).toThrow(
      "ENOENT",
    );
  });
});
