import type { NetworkPolicySpec } from "../network-policy/args.ts";
import type { CalicoNetworkPolicySpec, GlobalNetworkPolicySpec } from "./args.ts";

/** What a staged policy proposes. Staged policies change no verdict; the flow log shows what would change. */
export enum StagedAction {
  /** The policy is created, or replaces the one of its name. */
  Set = "Set",
  /** The policy of its name is deleted. Only `name`, `namespace` and `tier` stand beside it. */
  Delete = "Delete",
  /** Accepted for Calico's users; has no effect. */
  Learn = "Learn",
  /** The staged policy is ignored. */
  Ignore = "Ignore",
}

/** A StagedNetworkPolicy of Calico: a NetworkPolicy of Calico's as it would be. */
export interface StagedNetworkPolicySpec extends CalicoNetworkPolicySpec {
  /** What it proposes. Defaults to `Set`. */
  stagedAction?: StagedAction;
}

/** A StagedGlobalNetworkPolicy of Calico: a GlobalNetworkPolicy as it would be. */
export interface StagedGlobalNetworkPolicySpec extends GlobalNetworkPolicySpec {
  /** What it proposes. Defaults to `Set`. */
  stagedAction?: StagedAction;
}

/** A StagedKubernetesNetworkPolicy of Calico: a NetworkPolicy of Kubernetes as it would be. */
export interface StagedKubernetesNetworkPolicySpec extends NetworkPolicySpec {
  /** What it proposes. Defaults to `Set`. */
  stagedAction?: StagedAction;
}

/** Arguments of `StagedNetworkPolicy`. */
export interface StagedNetworkPolicyArgs extends StagedNetworkPolicySpec {}
/** Arguments of `StagedGlobalNetworkPolicy`. */
export interface StagedGlobalNetworkPolicyArgs extends StagedGlobalNetworkPolicySpec {}
/** Arguments of `StagedKubernetesNetworkPolicy`. */
export interface StagedKubernetesNetworkPolicyArgs extends StagedKubernetesNetworkPolicySpec {}
