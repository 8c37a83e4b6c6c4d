// The images of a local cluster and their content.
import { globSync } from "node:fs";
import { dirname, join } from "node:path";
import { COREDNS, ETCD, KUBERNETES, PAUSE } from "../versions.ts";
import { agentImage, agentOfThisComputer } from "./agent.ts";
import { base } from "./base.ts";
import type { Image } from "./image.ts";
import { withLibraries } from "./libraries.ts";
import { data, directory, link, merge, program, type Tree } from "./tree.ts";

/** The inputs of the images, as absolute paths. */
export interface Ingredients {
  kube: string;
  coredns: string;
  pause: string;
  /** Node 24. */
  node: string;
  /** Root of the checkout: dist/ and node_modules/. */
  root: string;
}

const kubernetes = (name: string, version = KUBERNETES) => `registry.k8s.io/${name}:${version}`;

const kubeLayer = (binary: string): Tree => merge(base, withLibraries({ "/usr/local/bin/kube": binary }));

export function catalogue(from: Ingredients): Image[] {
  const agent = agentImage(agentOfThisComputer(from.root, from.node));
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
    ...(agent ? [agent] : []),
  ];
}

/** The control plane's programs, under the names that this version of kubeadm uses. */
export function controlPlane(binary: string, version: string): Image {
  const components = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"];
  return {
    file: "control-plane",
    names: [...components.map((name) => kubernetes(name, version)), `registry.k8s.io/etcd:${ETCD}`],
    config: {},
    layers: [kubeLayer(binary), toKube([...components, "etcd"])],
  };
}

/** Not part of this project's clusters, but the baseline of its measurements. */
function kubeProxy(kube: Tree): Image {
  const iptables = ["iptables", "ip6tables"].flatMap((name) => [name, `${name}-save`, `${name}-restore`]);
  // Matches and targets are libraries that are loaded by name when a rule uses them.
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
    config: { entrypoint: ["/usr/local/bin/start-nginx"], stopSignal: "SIGQUIT" },
    layers: [
      merge(base, withLibraries(itself(["/usr/sbin/nginx", "/bin/dash", "/bin/cat", "/bin/sleep"])), {
        "/bin/sh": link("dash"),
        "/usr/local/bin/start-nginx": program(join(import.meta.dirname, "start-nginx.sh")),
        "/etc/nginx/nginx.conf": data(join(import.meta.dirname, "nginx.conf")),
        "/etc/nginx/mime.types": data("/etc/nginx/mime.types"),
        "/usr/share/nginx/html/index.html": data("/usr/share/nginx/html/index.html"),
        "/var/lib/nginx": directory(),
        "/var/log/nginx": directory(),
      }),
    ],
  };
}

const itself = (paths: string[]): Record<string, string> => Object.fromEntries(paths.map((path) => [path, path]));

const links = (folder: string, names: string[], target: string): Tree =>
  Object.fromEntries(names.map((name) => [join(folder, name), link(target)]));

const toKube = (names: string[]): Tree => links(dirname("/usr/local/bin/kube"), names, "kube");
