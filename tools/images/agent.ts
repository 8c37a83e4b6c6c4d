// The content of the agent's image, for any processor.
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { billOfMaterials } from "../sbom/document.ts";
import { goComponents, goLicense } from "../sbom/go.ts";
import { nodeComponent, npmComponent, readLock } from "../sbom/npm.ts";
import { base } from "./base.ts";
import { type DebianPackage, debianComponent } from "./debian-packages.ts";
import type { Image } from "./image.ts";
import { type Origin, thisComputer, withLibraries } from "./libraries.ts";
import { debianLicenses } from "./licenses.ts";
import { type Processor, thisProcessor } from "./processor.ts";
import { data, link, merge, program, type Tree, text } from "./tree.ts";

/** The inputs of the image. */
export interface AgentIngredients {
  /** Root of the checkout: dist/ and node_modules/. */
  root: string;
  processor: Processor;
  /** The file system that provides Debian's programs, Node and koffi's native part. */
  origin: Origin;
  /** Node 24: its path in the origin. */
  node: string;
  /** The npm package with koffi's native part: its path in the origin. */
  native: string;
  /** The CNI plugin: its path on this computer. */
  cni: string;
}

/** Debian packages, and their programs that the agent calls or that help people inside its container. */
const TOOLS: Record<string, string[]> = {
  bird2: ["/usr/sbin/bird"],
  bpftool: ["/usr/sbin/bpftool"],
  coreutils: ["/usr/bin/env", "/usr/bin/head", "/usr/bin/id", "/usr/bin/tail", "/bin/cat", "/bin/ls", "/bin/sleep"],
  dash: ["/bin/dash"],
  grep: ["/bin/grep"],
  iproute2: ["/sbin/ip", "/sbin/tc"],
  mount: ["/usr/bin/mount", "/usr/bin/umount"],
  nftables: ["/usr/sbin/nft"],
  tcpdump: ["/usr/bin/tcpdump"],
  "util-linux": ["/usr/bin/nsenter", "/usr/bin/setpriv", "/usr/bin/unshare"],
};

/** The Debian packages of an image for another processor: the tools, libbpf, and the libraries of Node. */
export const AGENT_PACKAGES = [...Object.keys(TOOLS), "libbpf1", "libstdc++6"];

/** Name of the npm package with koffi's native part. */
export const nativePackage = ({ node }: Processor): string => `@koromix/koffi-linux-${node}`;

export const HOME = "/opt/ebpf-dataplane";

/** Path of the bill of materials in the image. */
export const AGENT_BILL = `${HOME}/sbom.cdx.json`;

/** Built from files of this computer. */
export function agentOfThisComputer(root: string, node: string): AgentIngredients {
  const processor = thisProcessor();
  const native = join(root, "node_modules", nativePackage(processor));
  return { root, processor, origin: thisComputer, node, native, cni: join(root, "dist", "cni", "ebpf-dataplane") };
}

/** Undefined if the agent is not bundled yet. */
export function agentImage(from: AgentIngredients): Image | undefined {
  const { root, processor, origin } = from;
  const dist = (...path: string[]) => join(root, "dist", ...path);
  if (!existsSync(dist("agent.js")) || !existsSync(dist("probe.js"))) return undefined;
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const tools = Object.fromEntries(
    Object.values(TOOLS)
      .flat()
      .map((path) => [path, path]),
  );
  const libbpf = `/usr/lib/${processor.triplet}/libbpf.so.1`;
  const programs = merge(withLibraries({ "/usr/local/bin/node": from.node, ...tools }, [libbpf], origin), koffi(from));
  const debian = origin.packages(Object.keys(programs).filter((path) => /^\/usr\/(?!local\/)/.test(path)));
  const platform = merge(base, programs, debianLicenses(debian, origin), nodeLicense(from), {
    "/bin/sh": link("dash"),
  });
  const portable = dist("probe", processor.name);
  const ours: Tree = {
    [`${HOME}/agent.js`]: data(dist("agent.js")),
    [`${HOME}/probe.js`]: data(dist("probe.js")),
    [`${HOME}/THIRD-PARTY-LICENSES`]: data(dist("THIRD-PARTY-LICENSES")),
    [`${HOME}/LICENSE`]: data(join(root, "LICENSE")),
    [`${HOME}/LICENSES/GPL-2.0-only.txt`]: data(join(root, "LICENSES", "GPL-2.0-only.txt")),
    [AGENT_BILL]: text(agentBill(from, version, debian)),
  };
  for (const object of globSync(dist("bpf", "*.bpf.o")).sort())
    ours[`${HOME}/bpf/${object.split("/").at(-1)}`] = data(object);
  if (existsSync(from.cni)) {
    ours[`${HOME}/cni/ebpf-dataplane`] = program(from.cni);
    // Sends what Node has no sockets for (probe/by-portable.ts).
    if (existsSync(portable)) ours[`${HOME}/probe/${processor.name}`] = program(portable);
    ours["/usr/share/doc/go/LICENSE"] = data(goLicense());
  }
  return {
    file: processor === thisProcessor() ? "ebpf-dataplane" : `ebpf-dataplane-${processor.name}`,
    // The package's version, which `Dataplane` requests, and the name that check files use.
    names: [`docker.io/library/ebpf-dataplane:${version}`, "docker.io/library/ebpf-dataplane:local"],
    config: { entrypoint: ["/usr/local/bin/node", `${HOME}/agent.js`], architecture: processor.name },
    layers: [platform, merge(ours)],
  };
}

/** The components of the image, with name, version, license and hash. */
function agentBill({ root, processor, cni }: AgentIngredients, version: string, debian: DebianPackage[]): string {
  const lock = readLock(join(root, "package-lock.json"));
  const bundled = JSON.parse(readFileSync(join(root, "dist", "bundled.json"), "utf8")) as Record<string, string[]>;
  const places = [
    ...new Set([...(bundled["agent.js"] ?? []), ...(bundled["probe.js"] ?? [])]),
    "node_modules/koffi",
    `node_modules/${nativePackage(processor)}`,
  ];
  const purl = `pkg:oci/ebpf-dataplane@${version}?arch=${processor.name}`;
  return billOfMaterials({ type: "application", name: "ebpf-dataplane", version, purl }, [
    nodeComponent(root, processor.node),
    ...debian.map(debianComponent),
    ...places.map((place) => npmComponent(lock, place, "bundled")),
    // The portable prober has no other library than the CNI plugin: Go's own.
    ...(existsSync(cni) ? goComponents(cni) : []),
  ]);
}

/** Node has all licenses of its content in one file, next to its binary's folder. */
function nodeLicense({ origin, node }: AgentIngredients): Tree {
  return { "/usr/share/doc/node/LICENSE": data(origin.file(join(node, "..", "..", "LICENSE"))) };
}

/** The npm package koffi without sources: the loader, and the native module for the processor and the GNU C library. */
export function koffi({ root, processor, origin, native }: Omit<AgentIngredients, "node" | "cni">): Tree {
  const loader = join(root, "node_modules", "koffi");
  const files = ["package.json", "LICENSE.txt", ...globSync("{,src/**/}*.cjs", { cwd: loader })];
  const module = join(`linux_${processor.node}`, "koffi.node");
  const { [join(native, module)]: _, ...libraries } = withLibraries({}, [join(native, module)], origin);
  const modules = `${HOME}/node_modules`;
  return {
    ...libraries,
    ...Object.fromEntries(files.map((file) => [`${modules}/koffi/${file}`, data(join(loader, file))])),
    ...Object.fromEntries(
      ["package.json", "index.js", module].map((file) => [
        `${modules}/${nativePackage(processor)}/${file}`,
        data(origin.file(join(native, file))),
      ]),
    ),
  };
}
