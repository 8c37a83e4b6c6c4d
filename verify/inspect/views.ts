/** Views that are different on each node. */
export const NODE_VIEWS = [
  ...["services", "backends", "endpoints", "policies", "connections", "announcements", "outcomes", "bgp"],
];
/** Views of the whole cluster: every agent knows them. */
export const POOLS = "ipam";
export const VIEWS = [...NODE_VIEWS, POOLS];
