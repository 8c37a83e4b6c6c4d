// Automatic host endpoints of nodes of which a log says nothing: they have their nodes' labels, which are not known then.
import { type Possible, possible } from "../calico-selector/possible.ts";
import type { KubeControllersConfiguration } from "../objects/calico-policy/kube-controllers.ts";
import { isImplied } from "../policy/calico-labels.ts";
import type { CompiledPolicy } from "../policy/compiled-policy.ts";
import type { HostTraffic } from "../policy/host-directory.ts";
import { CREATED, type Host, isAutomatic } from "../policy/hosts.ts";
import type { WorkloadSelector } from "../policy/workload-selector.ts";

/** What policies may say of automatic host endpoints with unknown labels. */
export class UntoldHosts {
  /** Which nodes they are of, by name. */
  readonly nodes: ReadonlySet<string>;
  /** Whether there is one at all is open, too: templates select nodes by their labels. */
  readonly #isOpen: boolean;
  readonly #policies: readonly CompiledPolicy[];

  /** @param policies all that may select host endpoints */
  constructor(nodes: ReadonlySet<string>, { spec }: KubeControllersConfiguration, policies: readonly CompiledPolicy[]) {
    this.nodes = nodes;
    this.#isOpen = spec.templates.length > 0 || !spec.createDefaultHostEndpoint;
    this.#policies = policies;
  }

  /** Whether the labels of such a host endpoint, in whose place `host` may stand, say which policies are asked, or what they say of their own side. */
  isOpen(host: Host, traffic: HostTraffic, direction: "ingress" | "egress"): boolean {
    if (!isAutomatic(host) && !this.#isOpen) return false;
    return this.#policies.some(
      (policy) =>
        policy[direction] !== undefined &&
        isAbout(policy, traffic) &&
        (this.mayMean(policy.subject) || (policy.ownSelectors.size > 0 && answerOf(policy.subject).yes)),
    );
  }

  /** Whether it depends on the labels if the selector means such a host endpoint. */
  mayMean(selector: WorkloadSelector): boolean {
    const { yes, no } = answerOf(selector);
    return yes && (no || this.#isOpen);
  }
}

/** Whether host endpoints ask it about such traffic (model/policy/host-directory.ts). */
function isAbout({ stage, applyOnForward }: CompiledPolicy, traffic: HostTraffic): boolean {
  if (traffic === "preDNAT" || traffic === "doNotTrack") return stage === traffic;
  return stage === "normal" && (traffic === "own" || applyOnForward);
}

function answerOf({ expression }: WorkloadSelector): Possible {
  return expression ? possible(expression, lookup) : { yes: false, no: true };
}

function lookup(label: string): { value?: string } | "?" {
  const value = CREATED[label];
  if (value !== undefined) return { value };
  return isImplied(label) ? {} : "?";
}
