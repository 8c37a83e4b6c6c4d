/** Default release of Kubernetes for new clusters. */
export const DEFAULT_RELEASE = "v1.35.0";

/** kube-proxy of that release. */
export const KUBE_PROXY_IMAGE = `registry.k8s.io/kube-proxy:${DEFAULT_RELEASE}`;

/** The first minor version whose kubeadm knows what bootstrap/upgrade.sh asks for (phases of `upgrade apply`). */
const FIRST_MINOR = 32;

/** What runs a release: a node, or "the control plane". */
export interface Running {
  name: string;
  /** Such as "v1.35.0". */
  release: string;
}

/** Whether this is a release that nodes can be made with, and be upgraded to. */
export function isRelease(text: string): boolean {
  const [, minor] = /^v1\.(\d+)\.\d+$/.exec(text) ?? [];
  return minor !== undefined && Number(minor) >= FIRST_MINOR;
}

/** What `isRelease` accepts, in words. */
export const ANY_RELEASE = `a release like "${DEFAULT_RELEASE}", from v1.${FIRST_MINOR} on`;

/** A release without what its builder added after "+". */
export function plainRelease(release: string): string {
  return release.replace(/\+.*$/, "");
}

/**
 * Why a cluster cannot become that release, in one sentence with what to do; undefined: it can, or is it already. Kubernetes knows no
 * way back, and no way that leaves out a minor version (https://kubernetes.io/releases/version-skew-policy/).
 */
export function upgradeRefusal(running: Running[], wanted: string): string | undefined {
  const newer = running.find(({ release }) => compare(release, wanted) > 0);
  if (newer) {
    return `${newer.name} runs Kubernetes ${newer.release} already, and there is no way back to ${wanted}: set kubernetesVersion to ${newer.release} or later`;
  }
  const tooOld = running.find(({ release }) => minorOf(wanted) - minorOf(release) > 1);
  if (!tooOld) return undefined;
  const next = `v1.${minorOf(tooOld.release) + 1}`;
  return `${tooOld.name} runs Kubernetes ${tooOld.release}, and ${wanted} leaves out minor versions between: set kubernetesVersion to a release of ${next} first`;
}

function compare(one: string, other: string): number {
  return minorOf(one) - minorOf(other) || patchOf(one) - patchOf(other);
}

function minorOf(release: string): number {
  return Number(release.split(".")[1]);
}

function patchOf(release: string): number {
  return Number.parseInt(release.split(".")[2] ?? "", 10);
}
