// The requirements of third-party licenses for redistribution: the license texts, and an offer of source.
import { existsSync, readFileSync, realpathSync } from "node:fs";
import type { DebianPackage } from "./debian-packages.ts";
import type { Origin } from "./libraries.ts";
import { data, type Tree, text } from "./tree.ts";

const COMMON = "/usr/share/common-licenses";

/** The copyright files of Debian packages, the common licenses that they refer to, and the offer. */
export function debianLicenses(packages: readonly DebianPackage[], origin: Origin): Tree {
  const tree: Tree = { "/usr/share/doc/SOURCES": text(offer(packages)) };
  for (const { name } of packages) {
    const path = `/usr/share/doc/${name}/copyright`;
    const file = origin.file(path);
    tree[path] = data(file);
    for (const [, license = ""] of readFileSync(file, "utf8").matchAll(
      /common-licenses\/([A-Za-z0-9]+(?:-[\d.]*\d)?)/g,
    )) {
      // The same on every processor. Some names are not files in this release, because the authors wrote their own text.
      const common = `${COMMON}/${license}`;
      if (existsSync(common)) tree[common] = data(realpathSync(common));
    }
  }
  return tree;
}

/** GPL 2, section 3 b; GPL 3, section 6 b; LGPL 2.1, section 6 c. */
function offer(packages: readonly DebianPackage[]): string {
  const sources = new Set(packages.map(({ source, sourceVersion }) => `  ${source} ${sourceVersion}`));
  return `This image holds programs and libraries of Debian, unchanged. Their licenses are in /usr/share/doc/*/copyright and
${COMMON}; several are under the GNU General Public License or the GNU Lesser General Public License.

Offer of source: the party that gave you this image gives you, on request, for three years from then, and for no more than the cost
of doing so, the complete corresponding source code of these programs. Debian keeps it too, in each of these versions
(https://snapshot.debian.org; on a Debian system with deb-src sources: apt-get source PACKAGE=VERSION):

${[...sources].sort().join("\n")}

The programs in /opt/ebpf-dataplane/bpf are under Apache-2.0 or GPL-2.0-only at your choice; their source is the package
ebpf-dataplane of the version that this image is tagged with. Everything else in this image is listed, with its version and
license, in /opt/ebpf-dataplane/sbom.cdx.json; texts are in /opt/ebpf-dataplane and /usr/share/doc.
`;
}
