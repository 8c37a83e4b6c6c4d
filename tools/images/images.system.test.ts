// Every program of every image starts inside its image, without any other file of this computer.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builds } from "../bpf.ts";
import { COREDNS, ETCD, KUBERNETES } from "../versions.ts";
import { buildImages } from "./build.ts";
import type { MadeImage } from "./image.ts";
import { unpackImage } from "./unpack.ts";

const folder = mkdtempSync(join(tmpdir(), "images-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let images: MadeImage[] = [];
beforeAll(async () => {
  images = (await buildImages()).images;
});

describe("the images", () => {
  const kubernetes = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"];

  test.each(kubernetes)("control plane: %s", (name) => {
    const root = unpacked(`registry.k8s.io/${name}:${KUBERNETES}`);
    expect(inside(root, name, "--version")).toBe(`Kubernetes ${KUBERNETES}\n`);
  });

  test("control plane: etcd has the version in its tag", () => {
    expect(inside(unpacked(`registry.k8s.io/etcd:${ETCD}`), "etcd", "--version")).toContain(
      `etcd Version: ${ETCD.replace(/-\d+$/, "")}\n`,
    );
  });

  test("kube-proxy, with iptables and its extensions, nft and conntrack", () => {
    const root = unpacked(`registry.k8s.io/kube-proxy:${KUBERNETES}`);
    expect(inside(root, "kube-proxy", "--version")).toBe(`Kubernetes ${KUBERNETES}\n`);
    expect(inside(root, "iptables", "--version")).toContain("nf_tables");
    expect(inside(root, "iptables", "-m", "statistic", "--help")).toContain("statistic match options");
    expect(inside(root, "nft", "--version")).toContain("nftables");
    expect(inside(root, "conntrack", "--version")).toContain("conntrack-tools");
  });

  test("coredns has the plugins of kubeadm's Corefile", () => {
    const root = unpacked(`registry.k8s.io/coredns/coredns:${COREDNS}`);
    expect(inside(root, "/coredns", "-version")).toContain(`CoreDNS-${COREDNS.slice(1)}`);
    const plugins = inside(root, "/coredns", "-plugins").split("\n");
    for (const plugin of [
      "cache",
      "errors",
      "forward",
      "health",
      "kubernetes",
      "loadbalance",
      "loop",
      "prometheus",
      "ready",
      "reload",
    ])
      expect(plugins).toContain(plugin);
  });

  test("the agent's image contains all licenses, the offer of source, and the bill of materials", () => {
    const root = unpacked("docker.io/library/ebpf-dataplane:");
    const read = (path: string) => readFileSync(join(root, path), "utf8");
    const { components } = JSON.parse(read("opt/ebpf-dataplane/sbom.cdx.json")) as { components: Listed[] };
    const named = (kind: string) => components.filter(({ purl }) => purl.startsWith(`pkg:${kind}/`));
    for (const { name } of named("deb"))
      expect(read(`usr/share/doc/${name}/copyright`)).toMatch(/copyright|licen[cs]e/i);
    for (const name of ["bpftool", "libc6", "libbpf1", "tcpdump", "nftables", "iproute2", "libstdc++6"])
      expect(named("deb").map((each) => each.name)).toContain(name);
    for (const { properties = [] } of named("deb"))
      expect(read("usr/share/doc/SOURCES")).toContain(properties[0]?.value);
    expect(read("usr/share/doc/SOURCES")).toContain("Offer of source");
    expect(read("usr/share/common-licenses/GPL-2")).toContain("GNU GENERAL PUBLIC LICENSE");
    expect(read("usr/share/doc/node/LICENSE")).toContain("OpenSSL");
    expect(read("usr/share/doc/go/LICENSE")).toContain("The Go Authors");
    const notices = read("opt/ebpf-dataplane/THIRD-PARTY-LICENSES");
    for (const { name, version } of named("npm").filter((each) => !/koffi|node-linux/.test(each.name)))
      expect(notices).toContain(`${name} ${version}`);
    expect(named("golang").map(({ name }) => name)).toContain("std");
    expect(inside(root, "node", "--version").trim()).toBe(
      `v${named("npm").find(({ name }) => /^node-linux/.test(name))?.version}`,
    );
  });

  test("pause sleeps until it gets a signal", async () => {
    const pause = spawn("chroot", [unpacked("registry.k8s.io/pause:"), "/pause"], { stdio: "ignore" });
    const ended = new Promise<number | null>((resolve) => pause.on("exit", resolve));
    // Bit 14: SIGTERM has a handler (proc_pid_status(5)), as soon as chroot and the program have come so far.
    const handles = () =>
      Number.parseInt(/^SigCgt:\s*(\w+)$/m.exec(readFileSync(`/proc/${pause.pid}/status`, "utf8"))?.[1] ?? "", 16);
    await expect.poll(() => (handles() >> 14) & 1).toBe(1);
    expect(pause.exitCode).toBeNull();
    pause.kill("SIGTERM");
    expect(await ended).toBe(0);
  });

  test("nginx accepts its configuration, and has its default page", () => {
    const root = unpacked("docker.io/library/nginx:latest");
    mkdirSync(join(root, "dev"), { recursive: true });
    expect(
      inside(root, "sh", "-c", "nginx -t -c /etc/nginx/nginx.conf -g 'error_log /tmp/log;' 2>&1 || true"),
    ).toContain("syntax is ok");
    expect(readFileSync(join(root, "usr/share/nginx/html/index.html"), "utf8")).toContain("Welcome to nginx!");
  });
});

// With ipv6.disable=1 the kernel has no such file, and nginx would not start with an IPv6 socket in its configuration.
test.each([true, false])("nginx listens on IPv6 where the kernel has it: %s", (hasIpv6) => {
  const root = unpacked("docker.io/library/nginx:latest");
  for (const name of ["dev", "run", "proc/net"]) mkdirSync(join(root, name), { recursive: true });
  rmSync(join(root, "run/listen-ipv6.conf"), { force: true });
  if (hasIpv6) writeFileSync(join(root, "proc/net/if_inet6"), "");
  else rmSync(join(root, "proc/net/if_inet6"), { force: true });
  const configuration = inside(root, "sh", "-c", "start-nginx -T -g 'error_log /tmp/log;' 2>&1 || true");
  expect(configuration).toContain("syntax is ok");
  expect(configuration).toContain("listen 80;");
  expect(configuration.includes("listen [::]:80;")).toBe(hasIpv6);
});

describe("the agent's image", () => {
  const root = () => unpacked("docker.io/library/ebpf-dataplane:local");

  test("Node loads koffi next to the agent, and koffi libbpf", () => {
    const script = `
      const koffi = require("/opt/ebpf-dataplane/node_modules/koffi");
      console.log(process.version, koffi.load("libbpf.so.1").func("const char *libbpf_version_string()")());`;
    expect(inside(root(), "node", "-e", script)).toMatch(/^v24\.\S+ v1\./);
  });

  test("the agent starts, and prints its usage", () => {
    expect(inside(root(), "node", "/opt/ebpf-dataplane/agent.js", "--help")).toContain("Usage:");
  });

  test("contains every object and the CNI plugin", () => {
    expect(readdirSync(join(root(), "opt/ebpf-dataplane/bpf")).sort()).toEqual(
      builds()
        .map(({ name }) => `${name}.bpf.o`)
        .sort(),
    );
    expect(readdirSync(join(root(), "opt/ebpf-dataplane/cni"))).toEqual(["ebpf-dataplane"]);
  });

  test.each([
    ["ip", "-Version"],
    ["tc", "-Version"],
    ["nft", "--version"],
    ["tcpdump", "--version"],
    ["bpftool", "version"],
    ["nsenter", "--version"],
    ["env", "--version"],
    ["ls", "/"],
    ["sh", "-c", "cat /etc/passwd | grep root | head -n 1 | tail -n 1 && sleep 0 && id"],
  ])("%s starts", (...command) => expect(inside(root(), ...command)).not.toBe(""));
});

const roots = new Map<string, string>();

/** The root file system of an image, unpacked once. */
function unpacked(name: string): string {
  const image = images.find(({ names }) => names.some((known) => known.startsWith(name)));
  if (!image) throw new Error(`There is no image ${name}: ${images.flatMap(({ names }) => names).join(", ")}`);
  const known = roots.get(image.file);
  if (known) return known;
  const root = unpackImage(image.file, join(folder, basename(image.file)));
  roots.set(image.file, root);
  return root;
}

/** The output of a command that runs in the image, with the image's PATH and nothing else. */
function inside(root: string, ...command: string[]): string {
  return execFileSync("chroot", [root, ...command], {
    encoding: "utf8",
    timeout: 840_000,
    env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin" },
  });
}

interface Listed {
  name: string;
  version: string;
  purl: string;
  properties?: { value: string }[];
}
