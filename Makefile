# The project's commands, each a line of `make help`. They need Debian, root, git, Go and any Node with npm; everything
# else is installed by tools/bootstrap.

export EBPF_DATAPLANE_CACHE ?= /var/cache/ebpf-dataplane
export PATH := $(EBPF_DATAPLANE_CACHE)/node24/bin:$(PATH)

STACK ?= local

.DEFAULT_GOAL := help
.PHONY: help up down preview preflight rehearse forget check watch trace compare report image package test fuzz mutants bench-packets bench-throughput bench-scale build bpf generate ok clean bootstrap bootstrap-bench

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: build ## the local cluster with the dataplane, verified
	@node dist/runner.js up --stack local

rehearse: build ## the stack for AWS on this computer: nothing reaches AWS, nothing costs; RELEASE=v1.35.1 upgrades it
	@$(if $(RELEASE),node tools/relink.ts $(RELEASE))
	@node dist/runner.js rehearse --stack aws $(if $(RELEASE),--config ebpf-dataplane:kubernetesVersion=$(RELEASE))

forget: ## removes what `make rehearse` made
	@node dist/runner.js rehearse --stack aws --remove

# SVG=file.svg writes the picture too, AGAINST=earlier.json tells what changes, JSON=1 and MARKDOWN=1 are other forms.
preview_options = $(if $(JSON),--json) $(if $(MARKDOWN),--markdown) $(if $(SVG),--svg "$(SVG)") $(if $(AGAINST),--against "$(AGAINST)")

preview: ## what `make up` would create, who would reach whom, and warnings; touches nothing; STACK=aws SVG= AGAINST= MARKDOWN=1 JSON=1
	@sh tools/bootstrap javascript >&2
	@node tools/build.ts --quiet bundle components >&2
	@node dist/runner.js preview --stack $(STACK) $(preview_options)

preflight: ## what stands in the way on a cluster of yours (Pulumi.existing.yaml); changes nothing; JSON=1
	@sh tools/bootstrap javascript
	@node tools/build.ts --quiet bundle components
	@node dist/runner.js preflight --stack $(or $(filter-out local,$(STACK)),existing) $(if $(JSON),--json)

down: bootstrap ## removes the local cluster and everything that belongs to it
	@node tools/build.ts --quiet bundle components
	@node dist/runner.js down --stack local

check: bootstrap ## runs a file of expectations against the running cluster: make check FILE=x.check.yaml [MACHINES=x.yaml]
	@test -n "$(FILE)" || { echo 'make check needs the file of expectations: make check FILE=x.check.yaml' >&2; exit 2; }
	@node tools/build.ts --quiet bundle $(if $(MACHINES),probe)
	@node dist/verify.js check $(if $(MACHINES),--machines "$(MACHINES)") "$(FILE)"

watch: bootstrap ## connections, refused packets and rates of all nodes, as they happen
	@node tools/build.ts --quiet bundle
	@node dist/verify.js watch $(if $(JSON),--json)

trace: bootstrap ## sends one connection and shows each step on each node: make trace FROM=client1 TO=172.31.1.8:30604
	@test -n "$(FROM)" -a -n "$(TO)" || { echo 'make trace needs a client and a destination: make trace FROM=client1 TO=172.31.1.8:30604' >&2; exit 2; }
	@node tools/build.ts --quiet bundle
	@node dist/verify.js trace "$(FROM)" "$(TO)"

compare: bootstrap ## measures kube-proxy beside this dataplane on the running cluster, switched live: make compare [OPTIONS=--quick]
	@node tools/build.ts --quiet load bundle
	@node dist/verify.js compare $(OPTIONS)

report: ## writes out/report.html from the results in out/; needs no cluster
	@sh tools/bootstrap javascript
	@node tools/build.ts --quiet bundle
	@node dist/verify.js report

image: bootstrap ## puts the agent's image into a registry: make image REGISTRY=images.example.com/team [PLATFORM=linux/amd64,linux/arm64]
	@node tools/build.ts --quiet bpf cni bundle
	@node tools/images/push.ts "$(REGISTRY)" "$(PLATFORM)"

package: bootstrap ## the npm package, as a folder (dist/package, for `pulumi package add`) and as a tarball (out/)
	@node tools/build.ts --quiet load probe bundle components
	@node tools/package.ts

test: ## installs and runs every test
	@sh tools/bootstrap tests
	@node tools/test.ts

fuzz: bootstrap ## packets by chance through the real programs: make fuzz PACKETS=1000000 SEED=… [KERNEL=6.1]
	@$(if $(KERNEL),sh tools/bootstrap tests)
	@node --disable-warning=MODULE_TYPELESS_PACKAGE_JSON test/fuzz/main.ts

mutants: bootstrap ## takes each check out of the packet path in turn: which does the fuzzer notice, which the packet tests; PACKETS=20000 ONLY=pattern
	@node --disable-warning=MODULE_TYPELESS_PACKAGE_JSON test/mutants/main.ts

# QUICK=1 KEEP=1 JSON=1 VXLAN=1 ROUNDS=9, as measure/README.md tells.
bench_options = $(if $(QUICK),--quick) $(if $(KEEP),--keep) $(if $(JSON),--json) $(if $(ROUNDS),--rounds $(ROUNDS))
bench = node --disable-warning=MODULE_TYPELESS_PACKAGE_JSON measure/main.ts

bench-throughput: bootstrap-bench ## Gbit/s and CPU per Gbit between pods, beside the standard Linux path
	@$(bench) throughput $(bench_options) $(if $(VXLAN),--vxlan)

bench-scale: bootstrap-bench ## new connections and programming time against the number of services
	@$(bench) scale $(bench_options)

bench-packets: bootstrap ## ns per packet of each kind, beside another version's programs: AGAINST=revision ROUNDS= KEEP=1 JSON=1
	@node --disable-warning=MODULE_TYPELESS_PACKAGE_JSON test/packets/bench/main.ts $(if $(AGAINST),--against "$(AGAINST)") $(filter-out --quick,$(bench_options))

audit: ## whether vulnerabilities are known in the npm packages of the lock files; SKIP where the registry does not tell
	@sh tools/bootstrap javascript
	@node tools/audit.ts

build: bootstrap ## builds what is missing: dataplane, programs, Kubernetes, images
	@node tools/build.ts

bpf: bootstrap ## compiles the dataplane's objects
	@node tools/build.ts bpf

generate: bootstrap ## writes the files that are made from others (*.gen.ts)
	@node tools/generate/layout.ts

ok: bootstrap ## the gate before a commit: format, types, lint, structure, generated files, units
	@node tools/test.ts --units

clean: ## removes what was built in the checkout; the cache stays
	rm -rf dist out

bootstrap:
	@sh tools/bootstrap

bootstrap-bench:
	@sh tools/bootstrap bench
	@node tools/build.ts --quiet bpf cni load bundle kube
