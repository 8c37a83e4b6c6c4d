// The versions that must agree with each other, each defined once.

/** Kubernetes: the module k8s.io/kubernetes that tools/kubernetes/go.mod requires. */
export const KUBERNETES = "v1.35.0";

// The versions that this version of kubeadm uses (`kubeadm config images list`; a test compares).
export const COREDNS = "v1.13.1";
export const ETCD = "3.6.6-0";
export const PAUSE = "3.10.1";
