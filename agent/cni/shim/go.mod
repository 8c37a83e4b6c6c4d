module ebpf-dataplane/cni

go 1.21
