// Every object passes the verifier of the running kernel, and of the oldest that the project supports: Debian's 6.1.
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builds, compileObjects, objects, objectsAreFresh } from "../../tools/bpf.ts";
import { run } from "../../tools/command.ts";
import { debianKernel } from "./debian-kernel.ts";
import { boot, whyNoGuest } from "./guest.ts";
import { type Judgement, judgements } from "./judgement.ts";

const names = builds().map(({ name }) => name);
const verify = join(import.meta.dirname, "verify.sh");

beforeAll(async () => {
  if (!objectsAreFresh()) await compileObjects();
});

describe(`the running kernel, ${release()}`, () => {
  let judged: Record<string, Judgement> = {};

  beforeAll(async () => {
    // A mount namespace of its own, so that the pins are in a file system that ends with it.
    const script = `mount -t bpf bpf /sys/fs/bpf && exec sh "$0" "$1"`;
    const words = ["--mount", "--propagation", "private", "sh", "-c", script, verify, objects];
    judged = judgements(await run("unshare", words, { timeoutSeconds: 120 }));
  });

  test.each(names)("%s", (name) => expectVerified(judged, name));
});

describe("Debian's kernel 6.1", () => {
  const scratch = mkdtempSync(join(tmpdir(), "guest-"));
  afterAll(() => rmSync(scratch, { recursive: true }));
  const absent = whyNoGuest();
  let booted = "";
  let judged: Record<string, Judgement> = {};

  beforeAll(async () => {
    if (absent) return;
    const paths = globSync(join(objects, "*.bpf.o"));
    const files = Object.fromEntries(paths.map((path) => [`/objects/${basename(path)}`, readFileSync(path)]));
    const guest = {
      kernel: (await debianKernel()).kernel,
      programs: ["/usr/sbin/bpftool"],
      files: { ...files, "/verify.sh": readFileSync(verify) },
      script: "echo kernel $(uname -r); sh /verify.sh /objects",
    };
    const printed = await boot(guest, scratch, 480);
    booted = /^kernel (\S+)/m.exec(printed)?.[1] ?? "";
    judged = judgements(printed);
  }, 600_000);

  test("is the oldest that is supported", ({ skip }) => {
    if (absent) skip(absent);
    expect(booted).toMatch(/^6\.1\./);
  });

  test.for(names)("%s", (name, { skip }) => {
    if (absent) skip(absent);
    expectVerified(judged, name);
  });
});

/** The verifier's own words are the failure message. */
function expectVerified(judged: Record<string, Judgement>, name: string): void {
  const { verified, words } = judged[name] ?? { verified: false, words: "the kernel was not asked" };
  if (!verified) expect.fail(`The verifier refuses ${name}.bpf.o:\n${words}`);
}
