// Kubernetes' own end-to-end suite of the network, and the image of its pods, built when `make e2e` needs them.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { binaryPath, buildGoBinary, type GoBinary } from "./go-binary.ts";
import { base } from "./images/base.ts";
import { type Image, type MadeImage, makeImage, sha256 } from "./images/image.ts";
import { withLibraries } from "./images/libraries.ts";
import { data, directory, link, merge, program, type Tree, text } from "./images/tree.ts";

const module = join(import.meta.dirname, "end-to-end");
const suite: GoBinary = { name: "end-to-end", module, static: false };
const agnhost: GoBinary = {
  name: "agnhost",
  module,
  package: "k8s.io/kubernetes/test/images/agnhost",
  static: true,
};

/** ginkgo's command, of the version that the suite has. */
const ginkgo: GoBinary = { name: "ginkgo", module, package: "github.com/onsi/ginkgo/v2/ginkgo", static: false };

/** Versions as test/utils/image/manifest.go of k8s.io/kubernetes has them. */
const NAMES = ["agnhost:2.59", "jessie-dnsutils:1.7", "busybox:1.37.0-1"];

/** Programs that the specs run in pods, besides agnhost itself and those of busybox. */
const PROGRAMS = ["bash", "curl", "dash", "dig", "getent", "iperf", "nc", "ss", "wget"].map(
  (name) => `/usr/bin/${name}`,
);

/** The suite, and ginkgo's command, which runs processes of it side by side. @returns the paths of both */
export async function buildSuite(): Promise<{ suite: string; ginkgo: string }> {
  await buildGoBinary(suite);
  await buildGoBinary(ginkgo);
  return { suite: binaryPath(suite), ginkgo: binaryPath(ginkgo) };
}

/** Builds the image under all names that the specs use. Upstream's is Alpine with the same programs. */
export async function buildSuiteImage(): Promise<MadeImage> {
  await buildGoBinary(agnhost);
  return (await makeImage(suiteImage(binaryPath(agnhost)), sha256)).made;
}

function suiteImage(agnhostBinary: string): Image {
  const certificates = join(moduleFolder(), "test/images/agnhost/porter");
  const agnhostItself: Tree = {
    "/agnhost": program(agnhostBinary),
    "/agnhost-2": link("agnhost"),
    // Not busybox's shell, which prefers its own programs to those that are installed.
    "/usr/bin/sh": link("dash"),
    "/localhost.crt": data(join(certificates, "localhost.crt")),
    "/localhost.key": data(join(certificates, "localhost.key")),
    "/uploads": directory(0o1777),
    // Once, as upstream's (of busybox): with the usual 20 tries a spec that waits for a refusal takes minutes.
    "/etc/wgetrc": text("tries = 1\n"),
    "/etc/services": text("domain 53/tcp\ndomain 53/udp\n"),
  };
  const own = PROGRAMS.map((path) => path.split("/").at(-1));
  const applets = execFileSync("busybox", ["--list"], { encoding: "utf8" }).split("\n").filter(Boolean);
  const links = applets.filter((name) => !["busybox", "sh", "ash"].includes(name) && !own.includes(name));
  const tools = withLibraries(Object.fromEntries([...PROGRAMS, "/usr/bin/busybox"].map((path) => [path, path])));
  return {
    file: "agnhost",
    names: NAMES.map((name) => `registry.k8s.io/e2e-test-images/${name}`),
    config: { entrypoint: ["/agnhost"], command: ["pause"] },
    layers: [
      merge(base, tools, Object.fromEntries(links.map((name) => [`/usr/bin/${name}`, link("busybox")]))),
      agnhostItself,
    ],
  };
}

const moduleFolder = (): string =>
  execFileSync("go", ["list", "-m", "-f", "{{.Dir}}", "k8s.io/kubernetes"], { cwd: module, encoding: "utf8" }).trim();
