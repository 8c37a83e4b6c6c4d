# The project's commands, listed by `make help`. They need Debian, root, git, Go and any Node with npm; tools/bootstrap
# installs everything else. Those that need `javascript` alone run on any computer with Node 24: keep to what GNU make 3.81 and POSIX
# have there, because macOS has no more.

ifeq ($(EBPF_DATAPLANE_CACHE),)
EBPF_DATAPLANE_CACHE := $(shell sh tools/cache-folder)
endif
export EBPF_DATAPLANE_CACHE
export PATH := $(EBPF_DATAPLANE_CACHE)/node24/bin:$(PATH)

STACK ?= local

# make takes any name for a setting, so a misspelt one would be ignored.
given := $(filter-out EBPF_DATAPLANE_% KUBECONFIG% CI NO_COLOR PATH SHELL,$(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name))))
ifneq ($(given),)
wrong_settings := $(shell awk -v given='$(given)' -v goals='$(or $(MAKECMDGOALS),help)' -f tools/wrong-settings.awk Makefile)
ifneq ($(wrong_settings),)
$(error $(wrong_settings))
endif
endif

.DEFAULT_GOAL := help
.PHONY: help javascript go host up down labs lab-image lab-images preview preflight rehearse forget check specs e2e status inspect bundle watch flows suggest trace explain compare report image package test campaigns fuzz mutants bench-packets bench-policy bench-throughput bench-services build bpf generate ok clean lab-parts bootstrap bootstrap-bench

help: ## show this list
	@trap '' PIPE; width=; [ -t 1 ] && width=$$(stty size 2>/dev/null </dev/tty | cut -d ' ' -f 2); { awk -v width="$$width" -F ':.*## ' "$$help_in_columns" $(MAKEFILE_LIST); \
	echo '* runs on any computer with Node 24. The others need Debian 12 and root.'; } 2>/dev/null || :

# Descriptions are broken between words where a terminal ends; without one each is a line.
define help_in_columns
/^[a-z0-9-]+:.*## / {
  line = sprintf("make %-16s %s", $$1, ($$0 ~ /:[^#]*javascript/) ? "*" : " ")
  count = split($$2, words, " ")
  for (i = 1; i <= count; i++) {
    if (width > 40 && length(line) + 1 + length(words[i]) > width) { print line; line = sprintf("%23s", "") }
    line = line " " words[i]
  }
  print line
}
endef
export help_in_columns

# Settings of a stack for one run, as in Pulumi.STACK.yaml; CONFIG has further ones: make up NODES=3 CONFIG='router=true vxlanMode=Always'.
settings = $(if $(NODES),--config "nodes=$(NODES)") $(if $(CLIENTS),--config "clients=$(CLIENTS)") $(if $(CONFIG),--settings '$(subst ','\'',$(CONFIG))')

# Two at once would undo each other's work.
alone = --exclusive "lab $(or $(EBPF_DATAPLANE_LAB),local)"

# With the Pulumi CLI each lab has a state of its own, or a second one would take the first one's place.
copy = $(if $(filter-out local,$(EBPF_DATAPLANE_LAB)),--copy "$(EBPF_DATAPLANE_LAB)" --config program=local)

up: host lab-parts ## create the local cluster with the dataplane, and verify it; NODES=3 CLIENTS=1 RELEASE=v1.35.1 CONFIG='router=true ipFamilies=["IPv4"]'
	@$(if $(RELEASE),node tools/relink.ts $(RELEASE))
	@node dist/runner.js up --stack local $(alone) $(copy) $(settings) $(if $(RELEASE),--config "kubernetesVersion=$(RELEASE)")

rehearse: host build ## run the AWS stack on this computer, without AWS and without cost; RELEASE=v1.35.1 upgrades it
	@$(if $(RELEASE),node tools/relink.ts $(RELEASE))
	@node dist/runner.js rehearse --stack aws $(if $(RELEASE),--config ebpf-dataplane:kubernetesVersion=$(RELEASE))

forget: ## remove everything that `make rehearse` created
	@node dist/runner.js rehearse --stack aws --remove

# SVG=file.svg also writes the picture, AGAINST=earlier.json shows what changes, FLOWS=out/flows.jsonl what becomes of the flows of a cluster, with DAYS=30 what nobody used for so long, JSON=1 and MARKDOWN=1 select other formats.
preview_options = $(settings) $(if $(JSON),--json) $(if $(MARKDOWN),--markdown) $(if $(SVG),--svg "$(SVG)") $(if $(AGAINST),--against "$(AGAINST)") $(if $(FLOWS),--flows "$(FLOWS)") $(if $(DAYS),--unused-days "$(DAYS)")

preview: javascript ## show what `make up` would create, who reaches whom, and warnings, without changes; STACK=aws SVG= AGAINST= FLOWS= DAYS= MARKDOWN=1 JSON=1
	@node tools/build.ts --quiet bundle components >&2
	@node dist/runner.js preview --stack $(STACK) $(if $(filter local,$(STACK)),$(copy)) $(preview_options)

preflight: javascript ## check whether your own cluster (Pulumi.existing.yaml) is ready, without changes; JSON=1
	@node tools/build.ts --quiet bundle components
	@node dist/runner.js preflight --stack $(or $(filter-out local,$(STACK)),existing) $(if $(JSON),--json)

down: bootstrap ## remove the local cluster and everything that belongs to it
	@node tools/build.ts --quiet bundle components
	@node dist/runner.js down --stack local $(alone) $(copy) $(settings)

labs: bootstrap ## list the labs of this computer: state, who made them, nodes, memory, and what killed runs left; JSON=1
	@node tools/build.ts --quiet bundle >&2
	@node dist/lab.js list $(if $(JSON),--json)

lab-image: bootstrap ## load your own images into every node of the local cluster: make lab-image IMAGE=shop.tar (docker save), or TAG=team/shop:1 to name its image
	@test -n "$(IMAGE)" || { echo 'make lab-image needs an image archive: docker save --output shop.tar team/shop:1, then make lab-image IMAGE=shop.tar' >&2; exit 2; }
	@node tools/build.ts --quiet bundle >&2
	@node dist/lab.js image "$(or $(EBPF_DATAPLANE_LAB),local)" "$(IMAGE)" $(if $(TAG),--tag "$(TAG)")

lab-images: bootstrap ## list your own images in the local cluster: names, sizes, nodes; REMOVE=team/shop:1 takes one out, JSON=1
	@node tools/build.ts --quiet bundle >&2
	@node dist/lab.js images "$(or $(EBPF_DATAPLANE_LAB),local)" $(foreach one,$(REMOVE),--remove "$(one)") $(if $(JSON),--json)

check: $(if $(MACHINES),go,javascript) ## test expectations on the running cluster: make check SUITE=cluster, or FILE=x.check.yaml; MACHINES=x.yaml JUNIT=out/check.xml
	@test -n "$(FILE)$(SUITE)" || { echo 'make check needs a suite or a file of expectations: make check SUITE=cluster, make check FILE=x.check.yaml' >&2; exit 2; }
	@node tools/build.ts --quiet bundle $(if $(MACHINES),probe)
	@node dist/verify.js check $(if $(SUITE),--suite "$(SUITE)") $(if $(JUNIT),--junit "$(JUNIT)") $(if $(MACHINES),--machines "$(MACHINES)") $(if $(FILE),"$(FILE)")

specs: bootstrap ## run Kubernetes' sig-network specs on the running local cluster; DUALSTACK=1 with those of both families; CALICO=1 those of Calico's policies instead
	@node tools/build.ts --quiet bundle
	@node dist/verify.js check --brief $(if $(CALICO),$(wildcard test/calico-specs/*.check.yaml),$(filter-out $(if $(DUALSTACK),,%/dual-stack.check.yaml),$(wildcard test/sig-network/*.check.yaml)))

e2e: ## build Kubernetes' own end-to-end suite, and run its specs of the network on the running local cluster: make e2e FOCUS='Services' SKIP= PROCS=
	@sh tools/bootstrap e2e
	@node tools/build.ts --quiet bundle kube
	@node --disable-warning=MODULE_TYPELESS_PACKAGE_JSON test/end-to-end/main.ts

status: javascript ## report the state of the dataplane on each node: ready, up to date, modes, pools, refused packets; WAIT=1 waits until all are ready, JSON=1
	@node tools/build.ts --quiet bundle >&2
	@node dist/verify.js status $(if $(WAIT),--wait) $(if $(JSON),--json)

inspect: javascript ## show what is in the maps of all nodes, with names: make inspect VIEW=services; NODE= JSON=1; of connections CLIENT= FRONTEND=
	@test -n "$(VIEW)" || { echo 'make inspect needs a view: make inspect VIEW=services (backends, endpoints, policies, connections, announcements, outcomes, bgp, ipam)' >&2; exit 2; }
	@node tools/build.ts --quiet bundle >&2
	@node dist/verify.js inspect "$(VIEW)" $(if $(NODE),--node "$(NODE)") $(if $(CLIENT),--client "$(CLIENT)") $(if $(FRONTEND),--frontend "$(FRONTEND)") $(if $(JSON),--json)

bundle: javascript ## write an archive for support to out/: versions, status, maps, logs, objects; no Secrets and no credentials
	@node tools/build.ts --quiet bundle >&2
	@node dist/verify.js bundle --out "out/ebpf-dataplane-$$(date -u +%Y%m%d-%H%M%S).tar.gz"

watch: javascript ## show connections, refused packets and rates of all nodes, live; FROM= TO= SERVICE= NAMESPACE= POLICY= (words: one of them) REFUSED=1 DNS=0|1 SINCE=5m JSON=1 PAGE=1
	@node tools/build.ts --quiet bundle >&2
	@node dist/verify.js watch $(foreach one,$(FROM),--from "$(one)") $(foreach one,$(TO),--to "$(one)") $(foreach one,$(SERVICE),--service "$(one)") $(foreach one,$(NAMESPACE),--namespace "$(one)") $(foreach one,$(POLICY),--policy "$(one)") $(if $(REFUSED),--refused) $(if $(filter 0,$(DNS)),--no-dns) $(if $(filter 1,$(DNS)),--dns) $(if $(SINCE),--since "$(SINCE)") $(if $(PAGE),--page) $(if $(JSON),--json)

flows: javascript ## collect the flow logs of all nodes into out/flows.jsonl; NAMESPACE= VERDICT= PORT= STAGED=1 SHOW=1
	@node tools/build.ts --quiet bundle
	@node dist/verify.js flows $(if $(NAMESPACE),--namespace "$(NAMESPACE)") $(if $(VERDICT),--verdict "$(VERDICT)") $(if $(PORT),--port "$(PORT)") $(if $(STAGED),--staged) $(if $(SHOW),--show)

suggest: javascript ## propose NetworkPolicies that allow the flows of a log and nothing else: make suggest FLOWS=out/flows.jsonl; NAMESPACE= POLICIES=file OUT= TYPESCRIPT=1
	@test -n "$(FLOWS)" || { echo 'make suggest needs a flow log: make suggest FLOWS=out/flows.jsonl (make flows writes it)' >&2; exit 2; }
	@node tools/build.ts --quiet bundle >&2
	@node dist/verify.js suggest $(if $(NAMESPACE),--namespace "$(NAMESPACE)") $(if $(POLICIES),--policies "$(POLICIES)") $(if $(TYPESCRIPT),--typescript) $(if $(OUT),--out "$(OUT)") "$(FLOWS)"

trace: javascript ## send one connection and show each step on each node: make trace FROM=client1 TO=172.31.1.8:30604
	@test -n "$(FROM)" -a -n "$(TO)" || { echo 'make trace needs a client and a destination: make trace FROM=client1 TO=172.31.1.8:30604' >&2; exit 2; }
	@node tools/build.ts --quiet bundle
	@node dist/verify.js trace "$(FROM)" "$(TO)"

explain: javascript ## say which tiers and rules decide about a flow: make explain FROM=default/web TO=db/pg:5432
	@test -n "$(FROM)" -a -n "$(TO)" || { echo 'make explain needs two ends: make explain FROM=default/web TO=db/pg:5432' >&2; exit 2; }
	@node tools/build.ts --quiet bundle
	@node dist/verify.js explain "$(FROM)" "$(TO)" $(if $(JSON),--json)

compare: bootstrap ## compare with kube-proxy on the running cluster, switched live: make compare [OPTIONS=--quick]
	@node tools/build.ts --quiet load bundle
	@node dist/verify.js compare $(OPTIONS)

report: javascript ## write out/report.html from the results in out/; needs no cluster
	@node tools/build.ts --quiet bundle
	@node dist/verify.js report

image: bootstrap ## push the agent's image to a registry: make image REGISTRY=images.example.com/team [PLATFORM=linux/amd64,linux/arm64]
	@node tools/build.ts --quiet bpf cni bundle
	@node tools/images/push.ts "$(REGISTRY)" "$(PLATFORM)"

package: javascript ## build the npm package, as a folder (dist/package, for `pulumi package add`) and as a tarball (out/); without Debian or Go for this computer only
	@sh tools/bootstrap package >&2
	@node tools/package.ts

test: ## run all tests
	@sh tools/bootstrap tests
	@node tools/test.ts

campaigns: build ## run the tests that take long, about 15 minutes: upgrades of the AWS stack, killed ones too, policies that change under load, random packets on Debian's kernel, and property tests with a new seed (SEED=… repeats it, ONLY=properties)
	@sh tools/bootstrap tests
	@node tools/campaigns.ts

fuzz: bootstrap ## send random packets through the real programs: make fuzz PACKETS=1000000 SEED=… [KERNEL=6.1 [ARCH=arm64]]; WORLDS=100000 compares compiled policies with an independent model instead, PROGRAMS=1 what the real programs do with them too
	@$(if $(KERNEL),sh tools/bootstrap tests)
	@node --disable-warning=MODULE_TYPELESS_PACKAGE_JSON $(if $(WORLDS),test/model/$(if $(PROGRAMS),programs,calico)/fuzz.ts,test/fuzz/main.ts)

mutants: bootstrap ## remove each check of the packet path in turn, and report which tests notice; PACKETS=20000 ONLY=pattern
	@node --disable-warning=MODULE_TYPELESS_PACKAGE_JSON test/mutants/main.ts

# QUICK=1 KEEP=1 JSON=1 VXLAN=1 ROUNDS=9: see measure/README.md.
bench_options = $(if $(QUICK),--quick) $(if $(KEEP),--keep) $(if $(JSON),--json) $(if $(ROUNDS),--rounds $(ROUNDS))
bench = node --disable-warning=MODULE_TYPELESS_PACKAGE_JSON measure/main.ts

bench-throughput: bootstrap-bench ## measure Gbit/s and CPU per Gbit between pods, compared with the standard Linux path
	@$(bench) throughput $(bench_options) $(if $(VXLAN),--vxlan)

bench-services: bootstrap-bench ## measure new connections, programming, churn and memory with up to 30,000 services, compared with kube-proxy
	@$(bench) services $(bench_options) $(if $(COUNTS),--counts $(COUNTS))

bench-packets: bootstrap ## measure ns per packet of each kind, compared with another revision: AGAINST=revision ROUNDS= KEEP=1 JSON=1
	@node --disable-warning=MODULE_TYPELESS_PACKAGE_JSON test/packets/bench/main.ts $(if $(AGAINST),--against "$(AGAINST)") $(filter-out --quick,$(bench_options))

bench-policy: bootstrap ## measure what policies cost a packet, a change and memory, compared with nftables rules of the same policies
	@node --disable-warning=MODULE_TYPELESS_PACKAGE_JSON test/packets/bench-policy/main.ts $(bench_options)

audit: javascript ## report known vulnerabilities in the npm packages of the lock files; SKIP if the registry does not report them
	@node tools/audit.ts

build: bootstrap ## build what is missing: dataplane, programs, Kubernetes, images
	@node tools/build.ts

bpf: bootstrap ## compile the dataplane's objects
	@node tools/build.ts bpf

generate: bootstrap ## write the generated files (*.gen.ts)
	@node tools/generate/layout.ts

ok: bootstrap ## run the checks before a commit: format, types, lint, structure, generated files, unit tests
	@node tools/test.ts --units

clean: ## remove everything that was built in the checkout; the cache stays
	rm -rf dist out

# What a local cluster is made of: not the prober for clients over SSH, which is for two processors.
lab-parts: bootstrap
	@node tools/build.ts bpf cni load bundle components coredns kube images

bootstrap:
	@sh tools/bootstrap

# Before Kubernetes is compiled, which takes long.
host: bootstrap
	@node --disable-warning=MODULE_TYPELESS_PACKAGE_JSON lab/main.ts host

javascript go:
	@sh tools/bootstrap $@ >&2

bootstrap-bench:
	@sh tools/bootstrap bench
	@node tools/build.ts --quiet bpf cni load bundle kube
