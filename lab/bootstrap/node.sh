#!/bin/bash
# Makes this machine a Kubernetes node by kubeadm, without kube-proxy: the user data of a cloud instance and the bootstrap
# of a lab machine. Running it again changes nothing; a run that was cut short is undone first (kubeadm reset).
# The one argument is a step: prepare (a container runtime that answers), join (a node of the cluster); both without.
#
# ROLE                   control-plane | worker
# NODE_NAME NODE_ADDRESS this node's name and IPv4 address
# KUBERNETES_VERSION     such as v1.35.0
# API_SERVER             HOST:PORT of the control plane
# JOIN_TOKEN             kubeadm bootstrap token, [a-z0-9]{6}.[a-z0-9]{16}
# control plane only:
#   POD_SUBNET SERVICE_SUBNET   CIDRs
#   CERTIFICATE_NAMES           further names of the API server's certificate, separated by spaces
#   JOIN_TOKEN_TTL              duration the token lives (24h); 0s is forever
#   ETCD_ARGUMENTS CONTROLLER_MANAGER_ARGUMENTS   further arguments, NAME=VALUE separated by spaces
# worker only:
#   CA_CERTIFICATE_HASH         sha256:HEX of the cluster CA's public key (RFC 7469 form); unset: the CA is trusted on first use
# for the machine at hand:
#   PACKAGE_SOURCE              one apt source line with kubeadm's packages; needed where kubeadm is not installed
#   PAUSE_IMAGE                 image of the pod sandbox
#   CGROUP_DRIVER               systemd (default) | cgroupfs
#   KUBELET_SETTINGS            further lines of the KubeletConfiguration (YAML)
#   RESTRICT_OOM_SCORE          true where the runtime may not lower the score of a container (no CAP_SYS_RESOURCE)
set -euo pipefail

: "${ROLE:?}" "${NODE_NAME:?}" "${NODE_ADDRESS:?}" "${KUBERNETES_VERSION:?}" "${API_SERVER:?}" "${JOIN_TOKEN:?}"
: "${CGROUP_DRIVER:=systemd}" "${RESTRICT_OOM_SCORE:=false}" "${PAUSE_IMAGE:=registry.k8s.io/pause:3.10.1}"
: "${CERTIFICATE_NAMES:=}" "${JOIN_TOKEN_TTL:=24h}" "${ETCD_ARGUMENTS:=}" "${CONTROLLER_MANAGER_ARGUMENTS:=}" "${CA_CERTIFICATE_HASH:=}" "${KUBELET_SETTINGS:=}"
done_mark=/etc/kubernetes/bootstrapped
kubeadm_config=/etc/kubernetes/kubeadm.yaml
runtime_socket=/run/containerd/containerd.sock

say() { echo "bootstrap: $*"; }

has_systemd() { [ -d /run/systemd/system ]; }

install_missing() {
  command -v kubeadm kubelet containerd runc >/dev/null && return
  : "${PACKAGE_SOURCE:?kubeadm, kubelet or containerd is not installed: PACKAGE_SOURCE must name an apt source that has them}"
  say "installing containerd and kubeadm"
  echo "$PACKAGE_SOURCE" >/etc/apt/sources.list.d/kubernetes.list
  apt-get update --quiet
  DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends containerd runc kubelet kubeadm kubectl
}

configure_kernel() {
  sysctl --quiet --write net.ipv4.ip_forward=1
  # Kept over a reboot where this machine has a boot of its own.
  has_systemd && echo "net.ipv4.ip_forward = 1" >/etc/sysctl.d/90-kubernetes.conf || true
}

configure_containerd() {
  local systemd_cgroup=false
  [ "$CGROUP_DRIVER" = systemd ] && systemd_cgroup=true
  mkdir -p /etc/containerd
  cat >/etc/containerd/config.toml.new <<TOML
version = 2
[plugins."io.containerd.internal.v1.opt"]
  path = "/var/lib/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$PAUSE_IMAGE"
  restrict_oom_score_adj = $RESTRICT_OOM_SCORE
  disable_apparmor = $RESTRICT_OOM_SCORE
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = $systemd_cgroup
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/opt/cni/bin"
    conf_dir = "/etc/cni/net.d"
TOML
  if ! cmp --silent /etc/containerd/config.toml.new /etc/containerd/config.toml; then
    mv /etc/containerd/config.toml.new /etc/containerd/config.toml
    ! has_systemd || systemctl restart containerd
  else
    rm /etc/containerd/config.toml.new
  fi
}

wait_for_containerd() {
  local attempt
  for attempt in $(seq 300); do
    [ -S "$runtime_socket" ] && ctr --address "$runtime_socket" version >/dev/null 2>&1 && return
    sleep 0.1
  done
  say "containerd did not answer on $runtime_socket within 30 s ($attempt attempts)" >&2
  exit 1
}

undo_half_made() {
  [ -e /etc/kubernetes/kubelet.conf ] || [ -n "$(ls /etc/kubernetes/manifests 2>/dev/null)" ] || return 0
  say "an earlier run was cut short: resetting this node"
  kubeadm reset --force --cri-socket "unix://$runtime_socket"
}

registration() {
  cat <<YAML
nodeRegistration:
  name: $NODE_NAME
  criSocket: unix://$runtime_socket
  imagePullPolicy: IfNotPresent
  ignorePreflightErrors: [all]
  kubeletExtraArgs:
    - {name: node-ip, value: $NODE_ADDRESS}
YAML
}

pairs() { # NAME=VALUE... as kubeadm's list of arguments
  local pair list=""
  for pair in "$@"; do list+="${list:+, }{name: ${pair%%=*}, value: \"${pair#*=}\"}"; done
  echo "[$list]"
}

# The kubelet's and the controller manager's folder of volume plugins is by default in /usr, which may be read-only.
volume_plugins=/var/lib/kubelet/volume-plugins

# shellcheck disable=SC2086 # *_ARGUMENTS are lists
write_init_config() {
  : "${POD_SUBNET:?}" "${SERVICE_SUBNET:?}"
  cat >"$kubeadm_config" <<YAML
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: $NODE_ADDRESS, bindPort: ${API_SERVER##*:}}
bootstrapTokens:
  - {token: $JOIN_TOKEN, ttl: $JOIN_TOKEN_TTL}
skipPhases: [addon/kube-proxy]
$(registration)
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: $KUBERNETES_VERSION
networking: {podSubnet: $POD_SUBNET, serviceSubnet: $SERVICE_SUBNET}
apiServer: {certSANs: [${CERTIFICATE_NAMES// /, }]}
controllerManager: {extraArgs: $(pairs "flex-volume-plugin-dir=$volume_plugins" $CONTROLLER_MANAGER_ARGUMENTS)}
etcd: {local: {dataDir: /var/lib/etcd, extraArgs: $(pairs $ETCD_ARGUMENTS)}}
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: $CGROUP_DRIVER
failSwapOn: false
volumePluginDir: $volume_plugins
$KUBELET_SETTINGS
YAML
}

write_join_config() {
  local trust="unsafeSkipCAVerification: true"
  [ -z "$CA_CERTIFICATE_HASH" ] || trust="caCertHashes: [\"$CA_CERTIFICATE_HASH\"]"
  cat >"$kubeadm_config" <<YAML
apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken: {token: $JOIN_TOKEN, apiServerEndpoint: "$API_SERVER", $trust}
$(registration)
YAML
}

prepare() {
  install_missing
  configure_kernel
  configure_containerd
  wait_for_containerd
}

join() {
  undo_half_made
  case $ROLE in
    control-plane) write_init_config && kubeadm init --config "$kubeadm_config" ;;
    worker) write_join_config && kubeadm join --config "$kubeadm_config" ;;
    *) say "ROLE is '$ROLE'; allowed: control-plane, worker" >&2 && exit 2 ;;
  esac
  touch "$done_mark"
  say "$NODE_NAME is part of the cluster"
}

umask 077 # the configuration holds the join token
mkdir -p /etc/kubernetes/manifests
if [ -e "$done_mark" ]; then
  say "$NODE_NAME is already part of the cluster"
  exit 0
fi
case ${1:-all} in
  prepare) prepare ;;
  join) join ;;
  all) prepare && join ;;
esac
