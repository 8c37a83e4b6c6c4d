// The versions that have to agree with each other, each written once.

/** Kubernetes: the module k8s.io/kubernetes that tools/kubernetes/go.mod requires. */
export const KUBERNETES = "v1.35.0";

// What kubeadm of that version asks for (`kubeadm config images list`; a test compares).
export const COREDNS = "v1.13.1";
export const ETCD = "3.6.6-0";
export const PAUSE = "3.10.1";
