/** Of which each node has its own. */
export const NODE_VIEWS = [
  ...["services", "backends", "endpoints", "policies", "connections", "announcements", "outcomes", "bgp"],
];
/** Of the cluster: every agent knows it. */
export const POOLS = "ipam";
export const VIEWS = [...NODE_VIEWS, POOLS];
