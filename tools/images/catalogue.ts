// The images of a local cluster: what is in each.
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { COREDNS, ETCD, KUBERNETES, PAUSE } from "../versions.ts";
import type { Image } from "./image.ts";
import { withLibraries } from "./libraries.ts";
import { data, directory, link, merge, mergedUsr, program, type Tree, text } from "./tree.ts";

/** What the images are made from, all absolute paths. */
export interface Ingredients {
  kube: string;
  coredns: string;
  pause: string;
  /** Node 24. */
  node: string;
  /** Root of the checkout: dist/ and node_modules/. */
  root: string;
}

const base: Tree = merge(mergedUsr, {
  "/tmp": directory(0o1777),
  "/run": directory(),
  "/etc/passwd": text(
    "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/bin/false\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
  ),
  "/etc/group": text("root:x:0:\nwww-data:x:33:\nnogroup:x:65534:\n"),
  "/etc/nsswitch.conf": text("passwd: files\ngroup: files\nhosts: files dns\n"),
});

const kubernetes = (name: string, version = KUBERNETES) => `registry.k8s.io/${name}:${version}`;

const kubeLayer = (binary: string): Tree => merge(base, withLibraries({ "/usr/local/bin/kube": binary }));

export function catalogue(from: Ingredients): Image[] {
  return [
    controlPlane(from.kube, KUBERNETES),
    kubeProxy(kubeLayer(from.kube)),
    {
      file: "coredns",
      names: [`registry.k8s.io/coredns/coredns:${COREDNS}`],
      config: { entrypoint: ["/coredns"] },
      layers: [merge(base, withLibraries({ "/coredns": from.coredns }))],
    },
    {
      file: "pause",
      names: [`registry.k8s.io/pause:${PAUSE}`],
      config: { entrypoint: ["/pause"] },
      layers: [{ "/pause": program(from.pause) }],
    },
    nginx(),
    ...dataplane(from),
  ];
}

/** The control plane's programs, by the names that kubeadm of this version asks for. */
export function controlPlane(binary: string, version: string): Image {
  const components = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"];
  return {
    file: "control-plane",
    names: [...components.map((name) => kubernetes(name, version)), `registry.k8s.io/etcd:${ETCD}`],
    config: {},
    layers: [kubeLayer(binary), toKube([...components, "etcd"])],
  };
}

/** Not part of the clusters that this project makes: the baseline that it is measured against. */
function kubeProxy(kube: Tree): Image {
  const iptables = ["iptables", "ip6tables"].flatMap((name) => [name, `${name}-save`, `${name}-restore`]);
  // Matches and targets are libraries, opened by name when a rule uses them.
  const extensions = globSync("/usr/lib/*-linux-gnu/xtables/*.so");
  const programs = ["xtables-nft-multi", "nft", "conntrack"].map((name) => `/usr/sbin/${name}`);
  const tools = merge(withLibraries(itself(programs), extensions), links("/usr/sbin", iptables, "xtables-nft-multi"));
  return {
    file: "kube-proxy",
    names: [kubernetes("kube-proxy")],
    config: {},
    layers: [kube, merge(tools, toKube(["kube-proxy"]))],
  };
}

function nginx(): Image {
  return {
    file: "nginx",
    names: ["docker.io/library/nginx:latest"],
    config: { entrypoint: ["/usr/sbin/nginx"], command: ["-c", "/etc/nginx/nginx.conf"], stopSignal: "SIGQUIT" },
    layers: [
      merge(base, withLibraries(itself(["/usr/sbin/nginx", "/bin/dash", "/bin/cat", "/bin/sleep"])), {
        "/bin/sh": link("dash"),
        "/etc/nginx/nginx.conf": data(join(import.meta.dirname, "nginx.conf")),
        "/etc/nginx/mime.types": data("/etc/nginx/mime.types"),
        "/usr/share/nginx/html/index.html": data("/usr/share/nginx/html/index.html"),
        "/var/lib/nginx": directory(),
        "/var/log/nginx": directory(),
      }),
    ],
  };
}

/** What a person wants at hand inside the agent's container, beside what the agent itself calls. */
const TOOLS = [
  ...["ip", "tc"].map((name) => `/sbin/${name}`),
  ...["bpftool", "nft"].map((name) => `/usr/sbin/${name}`),
  ...["env", "head", "id", "mount", "nsenter", "tail", "tcpdump", "unshare"].map((name) => `/usr/bin/${name}`),
  ...["cat", "dash", "grep", "ls", "sleep"].map((name) => `/bin/${name}`),
];

/** Empty while the agent has not been bundled. */
function dataplane({ node, root }: Ingredients): Image[] {
  const dist = (...path: string[]) => join(root, "dist", ...path);
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  if (!existsSync(dist("agent.js"))) return [];
  const home = "/opt/ebpf-dataplane";
  const libbpf = globSync("/usr/lib/*-linux-gnu/libbpf.so.1").slice(0, 1);
  const platform = merge(
    base,
    withLibraries({ "/usr/local/bin/node": node, ...itself(TOOLS) }, libbpf),
    koffi(root, home),
    {
      "/bin/sh": link("dash"),
    },
  );
  const ours: Tree = { [`${home}/agent.js`]: data(dist("agent.js")) };
  for (const object of globSync(dist("bpf", "*.bpf.o")).sort())
    ours[`${home}/bpf/${object.split("/").at(-1)}`] = data(object);
  if (existsSync(dist("cni", "ebpf-dataplane")))
    ours[`${home}/cni/ebpf-dataplane`] = program(dist("cni", "ebpf-dataplane"));
  return [
    {
      file: "ebpf-dataplane",
      // Of this package's version, as `Dataplane` asks for it; and by the name that check files use.
      names: [`docker.io/library/ebpf-dataplane:${version}`, "docker.io/library/ebpf-dataplane:local"],
      config: { entrypoint: ["/usr/local/bin/node", `${home}/agent.js`] },
      layers: [platform, merge(ours)],
    },
  ];
}

/** The npm package koffi without its sources: the loader, and the native module for this processor and the GNU C library. */
function koffi(root: string, home: string): Tree {
  const native = `@koromix/koffi-linux-${process.arch}`;
  const files = [
    ...[
      "package.json",
      "LICENSE.txt",
      ...globSync("{,src/**/}*.cjs", { cwd: join(root, "node_modules", "koffi") }),
    ].map((file) => `koffi/${file}`),
    ...["package.json", "index.js", `linux_${process.arch}/koffi.node`].map((file) => `${native}/${file}`),
  ].map((file) => `node_modules/${file}`);
  const module = join(root, "node_modules", native, `linux_${process.arch}`, "koffi.node");
  const tree = withLibraries({}, [module]);
  delete tree[module];
  return { ...tree, ...Object.fromEntries(files.map((file) => [`${home}/${file}`, data(join(root, file))])) };
}

const itself = (paths: string[]): Record<string, string> => Object.fromEntries(paths.map((path) => [path, path]));

const links = (folder: string, names: string[], target: string): Tree =>
  Object.fromEntries(names.map((name) => [join(folder, name), link(target)]));

const toKube = (names: string[]): Tree => links(dirname("/usr/local/bin/kube"), names, "kube");
