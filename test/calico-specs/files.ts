/** Whose policies are about pods alone. With real packets those of one list take their steps together: none has labels that another one's policies mean. */
export const TOGETHER = [["peers", "ports", "rules", "sets", "tiers"], ["selectors"]];
export const ABOUT_PODS = TOGETHER.flat();

/** Whose policies are about nodes: one after the other. */
export const ABOUT_HOSTS = ["hosts", "own-node", "endpoints", "forwarded", "early", "untracked"];

/** The evaluator does not know what a doNotTrack policy says of answers, nor nodes as peers of ClusterNetworkPolicies. */
export const NOT_EVALUATED = ["own-node", "untracked"];
