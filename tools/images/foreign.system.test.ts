// The agent's image for another processor is complete, contains programs of that processor only, and runs in an emulator.
import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, copyFileSync, mkdtempSync, openSync, readdirSync, readSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { buildAgentImage } from "./build.ts";
import { fileSystem, type Origin, thisComputer } from "./libraries.ts";
import { PROCESSORS, thisProcessor } from "./processor.ts";
import { unpackImage } from "./unpack.ts";

const folder = mkdtempSync(join(tmpdir(), "foreign-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("libraries found in a program's header are those that the loader finds", () => {
  const origin = fileSystem("/", thisProcessor().triplet);
  for (const program of ["/bin/ls", "/sbin/ip", "/usr/sbin/nft", "/usr/sbin/bpftool", process.execPath]) {
    const files = ({ file, libraries }: Origin) =>
      [...new Set(libraries(program).map((path) => realpathSync(file(path))))].sort();
    expect(files(origin)).toEqual(files(thisComputer));
    expect(files(origin).length).toBeGreaterThan(1);
  }
});

test("a missing library is named with its program", () => {
  expect(() => fileSystem(folder, "no-linux-gnu").libraries("/bin/ls")).toThrow(`Cannot find /bin/ls in ${folder}.`);
});

/** The first 20 bytes, in hexadecimal digits. */
function headerOf(file: string): string {
  const header = Buffer.alloc(20);
  const descriptor = openSync(file, "r");
  readSync(descriptor, header);
  closeSync(descriptor);
  return header.toString("hex");
}

const machineOf = (header: string) => Buffer.from(header, "hex").readUInt16LE(18);

for (const processor of PROCESSORS.filter((other) => other !== thisProcessor())) {
  const emulator = `/usr/bin/qemu-${processor.triplet.split("-")[0]}-static`;
  const hasEmulator = !spawnSync(emulator, ["--version"]).error;

  test(`the agent's image for ${processor.name} has programs of that processor only, which run`, async ({ skip }) => {
    if (!hasEmulator)
      return skip(`SKIP: the image for ${processor.name} is built and run only where qemu-user-static is installed`);
    const root = unpackImage((await buildAgentImage(processor)).file, join(folder, processor.name));
    const programs = readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => ({ name: entry.name, header: headerOf(join(entry.parentPath, entry.name)) }))
      .filter(({ name, header }) => header.startsWith("7f454c46") && !name.endsWith(".bpf.o"));
    expect(programs.length).toBeGreaterThan(40);
    expect(programs.filter(({ header }) => machineOf(header) !== processor.machine)).toEqual([]);

    copyFileSync(emulator, join(root, "emulator"));
    const env = { PATH: "/usr/sbin:/usr/bin" };
    const inside = (...command: string[]) =>
      execFileSync("chroot", [root, "/emulator", ...command], { encoding: "utf8", timeout: 840_000, env });
    const koffi = "/opt/ebpf-dataplane/node_modules/koffi";
    const script = `console.log(process.arch, require("${koffi}").load("libbpf.so.1").func("const char *libbpf_version_string()")())`;
    expect(inside("/usr/local/bin/node", "-e", script)).toMatch(new RegExp(`^${processor.node} v1\\.`));
    expect(inside("/usr/local/bin/node", "/opt/ebpf-dataplane/agent.js", "--help")).toContain("Usage:");
    expect(inside("/usr/sbin/ip", "-Version")).toContain("iproute2");
    // nft and bpftool first make system calls that the emulator does not support.
    expect(inside("/usr/bin/tcpdump", "--version")).toContain("libpcap");
    // A CNI error, because no command is given.
    const plugin = spawnSync("chroot", [root, "/emulator", "/opt/ebpf-dataplane/cni/ebpf-dataplane"], { env });
    expect(plugin.signal).toBeNull();
    expect(`${plugin.stdout}${plugin.stderr}`).toContain("cniVersion");
  });
}
