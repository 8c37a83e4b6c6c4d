/** Annotation of an IPPool: the address with which its pods leave the cluster. */
export const POOL_EGRESS_ADDRESS = "ebpf-dataplane.io/egress-address";
