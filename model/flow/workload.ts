import type { Labels } from "../policy/selector.ts";

/** Labels by which controllers tell the copies of one template apart, or its versions. */
const OF_A_VERSION = ["pod-template-hash", "controller-revision-hash", "pod-template-generation"];
const OF_A_COPY = [
  "controller-uid",
  "batch.kubernetes.io/controller-uid",
  "batch.kubernetes.io/job-completion-index",
  "apps.kubernetes.io/pod-index",
];
/** These differ between copies, too, but people select pods by them. */
const NAMES = ["statefulset.kubernetes.io/pod-name", "job-name", "batch.kubernetes.io/job-name"];

/** A pod's labels without those that change with every version or copy and that no policy should name. */
export function lastingLabels(labels: Labels): Record<string, string> {
  return labelsWithout(labels, [...OF_A_VERSION, ...OF_A_COPY]);
}

/** The labels that all copies of one template share. */
export function templateLabels(labels: Labels): Record<string, string> {
  return labelsWithout(labels, [...OF_A_VERSION, ...OF_A_COPY, ...NAMES]);
}

function labelsWithout(labels: Labels, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !names.includes(name)));
}

/** The name of what a pod belongs to, from its own name and the labels that Kubernetes' controllers give it: "web" of
 * "web-6d4cf56db6-x7k2p". The pod's name where there is no controller. */
export function workloadName(pod: string, labels: Labels): string {
  const hash = labels["pod-template-hash"];
  if (hash) return before(pod, new RegExp(`-${escaped(hash)}-[^-]+$`));
  if (labels["statefulset.kubernetes.io/pod-name"] === pod) return before(pod, /-\d+$/);
  const job = labels["batch.kubernetes.io/job-name"] ?? labels["job-name"];
  // A CronJob names its jobs by their time, in minutes.
  if (job && pod.startsWith(`${job}-`)) return before(job, /-\d{8,10}$/);
  if (labels["controller-revision-hash"]) return before(pod, /-[^-]{5}$/);
  return pod;
}

function before(name: string, end: RegExp): string {
  return name.replace(end, "") || name;
}

function escaped(text: string): string {
  return text.replace(/[^\da-z]/gi, "\\$&");
}
