// Nothing in the repository tells of the computer it was written on: no folders of its users, no host that it installs from.
import type { Finding, Sources } from "./source.ts";

/** Absolute paths in places that belong to one person or one session. */
const PRIVATE_PATH = /(?<![\w.}*-])\/(?:work|root|home)\/[\w.-]+/;

/** Hosts that packages come from. Image names begin the same, so the one that only names images is let through. */
const REGISTRY = /\b(?:registry|proxy|deb|ftp|mirrors?|archive)\.(?!k8s\.io)[a-z0-9-]+\.(?:org|com|net|io|dev)\b/;

/** Records of what others wrote, as they wrote it. */
const AS_RECEIVED = /^(LICENSE|LICENSES\/|.*go\.sum$)/;

export function checkTraces(sources: Sources): Finding[] {
  return [...sources].flatMap(([path, content]) => {
    if (AS_RECEIVED.test(path)) return [];
    const traces = [PRIVATE_PATH, REGISTRY].map((pattern) => pattern.exec(content)?.[0]);
    return traces
      .filter((trace) => trace !== undefined)
      .map((trace) => ({ path, message: `names ${trace}, which is of one computer` }));
  });
}
