// The repository contains no traces of the computer it was written on: no folders of its users, no hosts that it installs from.
import type { Finding, Sources } from "./source.ts";

/** Absolute paths that belong to one person or one session. */
const PRIVATE_PATH = /(?<![\w.}*-])\/(?:work|root|home)\/[\w.-]+/;

/** Hosts that packages come from. Image names start in the same way, so the host that only names images is allowed. */
const REGISTRY = /\b(?:registry|proxy|deb|ftp|mirrors?|archive)\.(?!k8s\.io)[a-z0-9-]+\.(?:org|com|net|io|dev)\b/;

/** Verbatim records of other projects' texts. */
const AS_RECEIVED = /^(LICENSE|LICENSES\/|.*go\.sum$)/;

export function checkTraces(sources: Sources): Finding[] {
  return [...sources].flatMap(([path, content]) => {
    if (AS_RECEIVED.test(path)) return [];
    const traces = [PRIVATE_PATH, REGISTRY].map((pattern) => pattern.exec(content)?.[0]);
    return traces
      .filter((trace) => trace !== undefined)
      .map((trace) => ({ path, message: `names ${trace}, which is specific to one computer` }));
  });
}
