module ebpf-dataplane/probe

go 1.22
