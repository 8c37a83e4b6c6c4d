#!/bin/bash
# Makes this machine a Kubernetes node by kubeadm, without kube-proxy: the user data of a cloud instance and the bootstrap
# of a lab machine. Running it again changes nothing; a run that was cut short is undone first (kubeadm reset).
# The one argument is a step: prepare (a container runtime that answers), join (a node of the cluster), publish (below); all
# without. Where systemd runs it is asked to do all of them, now and at every boot, until they succeed.
#
# ROLE                   control-plane | worker
# NODE_NAME              this node's name
# NODE_ADDRESS           its IPv4 address in the cluster; empty in a cluster with IPv6 alone
# NODE_ADDRESS_IPV6      its IPv6 address in the cluster, or `metadata`: the one that the instance metadata service tells; empty with IPv4 alone
# FIRST_FAMILY           IPv4 (default) | IPv6: which of its addresses is the first
# API_SERVER             HOST:PORT of the control plane
# KUBERNETES_VERSION     such as v1.35.0
# JOIN_TOKEN             kubeadm bootstrap token, [a-z0-9]{6}.[a-z0-9]{16}
# PARAMETERS             in place of JOIN_TOKEN: path of the parameters (parameters.sh) by which the control plane publishes the
#                        administrator's kubeconfig and, every 20 minutes, a token of one hour with the authority's hash and the release
#                        of Kubernetes; a worker waits for those, whenever it is made
# control plane only:
#   POD_SUBNET SERVICE_SUBNET   CIDRs; in a dual-stack cluster those of both families with a comma between them, the first one first
#   CERTIFICATE_NAMES           further names of the API server's certificate, separated by spaces
#   JOIN_TOKEN_TTL              duration the token lives (1h)
#   ETCD_ARGUMENTS CONTROLLER_MANAGER_ARGUMENTS   further arguments, NAME=VALUE separated by spaces
# worker only:
#   CA_CERTIFICATE_HASH         sha256:HEX of the cluster CA's public key (RFC 7469 form), with JOIN_TOKEN; no other control plane is joined
# in a cluster with IPv6 alone:
#   POD_NAMESERVER              name server of pods for names outside the cluster, where the machine's own has an IPv4 address
# for the machine at hand, here or in /etc/default/kubernetes-bootstrap:
#   IMAGE_ARCHIVES              folder of OCI archives (*.tar) that are imported first, where no registry is reached
#   RELEASES                    folder of releases of Kubernetes, where no package repository is reached (packages.sh)
#   SESSION_MANAGER             true installs the agent of AWS Session Manager
#   PAUSE_IMAGE                 image of the pod sandbox
#   CGROUP_DRIVER               systemd (default) | cgroupfs
#   KUBELET_SETTINGS            further lines of the KubeletConfiguration (YAML)
#   RESTRICT_OOM_SCORE          true where the runtime may not lower the score of a container (no CAP_SYS_RESOURCE)
set -euo pipefail

# What a machine image knows of itself, in the same variables.
[ ! -r /etc/default/kubernetes-bootstrap ] || . /etc/default/kubernetes-bootstrap
: "${ROLE:?}" "${NODE_NAME:?}" "${API_SERVER:?}" "${PARAMETERS:=}" "${KUBERNETES_VERSION:=}" "${JOIN_TOKEN:=}" "${NODE_ADDRESS:=}" "${NODE_ADDRESS_IPV6:=}" "${POD_NAMESERVER:=}"
: "${NODE_ADDRESS:-${NODE_ADDRESS_IPV6:?or NODE_ADDRESS must be set}}"
: "${FIRST_FAMILY:=IPv4}"
: "${IMAGE_ARCHIVES:=/opt/kubernetes/images}" "${SESSION_MANAGER:=false}"
: "${CGROUP_DRIVER:=systemd}" "${RESTRICT_OOM_SCORE:=false}" "${PAUSE_IMAGE:=registry.k8s.io/pause:3.10.1}"
: "${CERTIFICATE_NAMES:=}" "${JOIN_TOKEN_TTL:=1h}" "${ETCD_ARGUMENTS:=}" "${CONTROLLER_MANAGER_ARGUMENTS:=}" "${CA_CERTIFICATE_HASH:=}" "${KUBELET_SETTINGS:=}"
done_mark=/etc/kubernetes/bootstrapped
kubeadm_config=/etc/kubernetes/kubeadm.yaml
runtime_socket=/run/containerd/containerd.sock
installed=/usr/local/sbin/kubernetes-bootstrap
export KUBECONFIG=/etc/kubernetes/admin.conf

# As user data this script comes after the others, in one file with them.
declare -F install_kubernetes >/dev/null || . "$(dirname "$0")/packages.sh"

# A script that is a user data is run once. As a service it is taken up again after a failure, and after a restart in the middle.
hand_over_to_systemd() {
  has_systemd && [ "$0" != "$installed" ] || return 0
  install -D --mode 700 "$0" "$installed"
  cat >/etc/systemd/system/kubernetes-bootstrap.service <<UNIT
[Unit]
Description=Makes this machine a node of a Kubernetes cluster
Wants=network-online.target
After=network-online.target
[Service]
Type=oneshot
ExecStart=$installed
Restart=on-failure
RestartSec=10
[Install]
WantedBy=multi-user.target
UNIT
  cat >/etc/systemd/system/kubernetes-bootstrap.timer <<UNIT
[Timer]
OnUnitInactiveSec=20min
[Install]
WantedBy=timers.target
UNIT
  systemctl daemon-reload
  systemctl enable --now kubernetes-bootstrap.timer
  systemctl enable --now --no-block kubernetes-bootstrap.service
  exit 0
}

require_kernel() {
  local release
  release=$(uname --kernel-release)
  [ "$(printf '6.1\n%s\n' "$release" | sort --version-sort | head --lines 1)" = 6.1 ] && return
  give_up "this machine runs Linux $release; the dataplane needs 6.1 or later: choose another machine image (imageName)"
}

# A deployment that waits for a cloud's control plane can reach only the API server's port of this machine, so the reason is served there for
# a while: without TLS, because there is no certificate yet. The port is free until kubeadm has begun.
tell_why() {
  [ -n "${why:-}" ] && [ "$ROLE" = control-plane ] && [ -n "$PARAMETERS" ] && command -v python3 >/dev/null || return 0
  timeout 60 python3 -c '
import http.server, sys
class Reason(http.server.BaseHTTPRequestHandler):
  def do_GET(self):
    self.send_response(503)
    self.end_headers()
    self.wfile.write(sys.argv[1].encode())
http.server.HTTPServer(("", int(sys.argv[2])), Reason).serve_forever()' "$why" "${API_SERVER##*:}" 2>/dev/null || true
}

install_session_manager() {
  [ "$SESSION_MANAGER" = true ] && ! command -v amazon-ssm-agent >/dev/null || return 0
  local region package=/tmp/amazon-ssm-agent.deb
  region=$(metadata placement/region)
  curl --fail --silent --show-error --output "$package" \
    "https://s3.$region.amazonaws.com/amazon-ssm-$region/latest/debian_$(dpkg --print-architecture)/amazon-ssm-agent.deb"
  dpkg --install "$package"
}

# containerd from the distribution.
install_missing() {
  if ! command -v containerd >/dev/null || ! command -v runc >/dev/null; then
    say "installing containerd"
    apt_get update
    apt_get install --yes --no-install-recommends containerd runc
  fi
  [ "$(installed_release)" = "$KUBERNETES_VERSION" ] || install_kubernetes "$KUBERNETES_VERSION" kubeadm kubelet kubectl
}

configure_kernel() {
  local setting forwarding=(net.ipv4.ip_forward=1)
  # A router takes no default route from advertisements (RFC 4861, 6.2.7), unless it is asked to.
  [ -z "$NODE_ADDRESS_IPV6" ] || forwarding+=("net/ipv6/conf/$(uplink)/accept_ra=2" net.ipv6.conf.all.forwarding=1)
  # Kept over a reboot where this machine has a boot of its own.
  ! has_systemd || : >/etc/sysctl.d/90-kubernetes.conf
  for setting in "${forwarding[@]}"; do
    sysctl --quiet --write "$setting"
    ! has_systemd || echo "$setting" >>/etc/sysctl.d/90-kubernetes.conf
  done
}

uplink() { # the interface of the default route
  local routes
  routes=$(ip -4 route show default && ip -6 route show default) # read to the end: a pipe that ends early kills its writer (pipefail)
  sed --quiet 's/.* dev \([^ ]*\).*/\1/p;q' <<<"$routes"
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
  for attempt in $(seq 1200); do
    [ -S "$runtime_socket" ] && ctr --address "$runtime_socket" version >/dev/null 2>&1 && return
    sleep 0.1
  done
  give_up "containerd did not answer on $runtime_socket within two minutes ($attempt attempts)"
}

# A worker without a token waits until the control plane has published one; the control plane makes its own token.
learn_how_to_join() {
  [ -z "$JOIN_TOKEN" ] || return 0
  : "${PARAMETERS:?JOIN_TOKEN or PARAMETERS must be set}"
  if [ "$ROLE" = control-plane ]; then return; fi
  until read -r JOIN_TOKEN CA_CERTIFICATE_HASH KUBERNETES_VERSION rest < <(get_parameter join) && [[ $KUBERNETES_VERSION = v* ]]; do
    say "waiting for the control plane"
    sleep 5
  done
}

# kubeadm prints: kubeadm join HOST:PORT --token TOKEN --discovery-token-ca-cert-hash HASH
publish() {
  [ "$ROLE" = control-plane ] && [ -n "$PARAMETERS" ] || return 0
  local join release
  read -ra join < <(kubeadm token create --ttl 1h --print-join-command)
  # The release of what runs, which is not the installed one in the middle of an upgrade.
  release=$(kubectl get --raw /version | json_field gitVersion)
  put_parameter join <<<"${join[4]} ${join[6]} ${release%%+*}"
  put_parameter kubeconfig <"$KUBECONFIG"
  # Who waits for the cluster may read this without credentials.
  kubectl --namespace kube-public annotate configmap cluster-info --overwrite ebpf-dataplane.io/published=true >/dev/null
  say "published how to join and how to administrate"
}

undo_half_made() {
  [ -e /etc/kubernetes/kubelet.conf ] || [ -n "$(ls /etc/kubernetes/manifests 2>/dev/null)" ] || return 0
  say "an earlier run was cut short: resetting this node"
  kubeadm reset --force --cri-socket "unix://$runtime_socket"
}

node_addresses() { # the first one first, with a comma between
  case $FIRST_FAMILY in
    IPv6) echo "${NODE_ADDRESS_IPV6:?}${NODE_ADDRESS:+,$NODE_ADDRESS}" ;;
    *) echo "${NODE_ADDRESS:?}${NODE_ADDRESS_IPV6:+,$NODE_ADDRESS_IPV6}" ;;
  esac
}

registration() {
  cat <<YAML
nodeRegistration:
  name: $NODE_NAME
  criSocket: unix://$runtime_socket
  imagePullPolicy: IfNotPresent
  ignorePreflightErrors: [all]
  kubeletExtraArgs:
    - {name: node-ip, value: "$(node_addresses)"}
YAML
}

pairs() { # NAME=VALUE... as kubeadm's list of arguments
  local pair list=""
  for pair in "$@"; do list+="${list:+, }{name: ${pair%%=*}, value: \"${pair#*=}\"}"; done
  echo "[$list]"
}

# The kubelet's and the controller manager's folder of volume plugins is by default in /usr, which may be read-only.
volume_plugins=/var/lib/kubelet/volume-plugins
pod_resolver=/etc/kubernetes/resolv.conf

# shellcheck disable=SC2086 # *_ARGUMENTS are lists
write_init_config() {
  local addresses
  : "${POD_SUBNET:?}" "${SERVICE_SUBNET:?}"
  addresses=$(node_addresses)
  cat >"$kubeadm_config" <<YAML
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: "${addresses%%,*}", bindPort: ${API_SERVER##*:}}
bootstrapTokens:
  - {token: ${JOIN_TOKEN:-$(kubeadm token generate)}, ttl: $JOIN_TOKEN_TTL}
skipPhases: [addon/kube-proxy]
$(registration)
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: $KUBERNETES_VERSION
encryptionAlgorithm: ECDSA-P256
networking: {podSubnet: "$POD_SUBNET", serviceSubnet: "$SERVICE_SUBNET"}
apiServer: {certSANs: [${CERTIFICATE_NAMES// /, }]}
controllerManager: {extraArgs: $(pairs "flex-volume-plugin-dir=$volume_plugins" $CONTROLLER_MANAGER_ARGUMENTS)}
etcd: {local: {dataDir: /var/lib/etcd, extraArgs: $(pairs $ETCD_ARGUMENTS)}}
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: $CGROUP_DRIVER
failSwapOn: false
volumePluginDir: $volume_plugins
${POD_NAMESERVER:+resolvConf: $pod_resolver}
$KUBELET_SETTINGS
YAML
}

write_join_config() {
  [[ $CA_CERTIFICATE_HASH =~ ^sha256:[0-9a-f]{64}$ ]] ||
    give_up "CA_CERTIFICATE_HASH is '$CA_CERTIFICATE_HASH', but must be sha256: and 64 hexadecimal digits: without it any server could pass for the control plane"
  cat >"$kubeadm_config" <<YAML
apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken: {token: $JOIN_TOKEN, apiServerEndpoint: "$API_SERVER", caCertHashes: ["$CA_CERTIFICATE_HASH"]}
$(registration)
YAML
}

prepare() {
  require_kernel
  install_session_manager
  learn_how_to_join
  install_missing
  [ "$NODE_ADDRESS_IPV6" != metadata ] || NODE_ADDRESS_IPV6=$(metadata ipv6)
  configure_kernel
  configure_containerd
  wait_for_containerd
  import_images "$IMAGE_ARCHIVES"
  [ "$ROLE" = worker ] || [ -z "$RELEASES" ] || import_images "$RELEASES/$KUBERNETES_VERSION/images"
}

join() {
  undo_half_made
  [ -z "$POD_NAMESERVER" ] || echo "nameserver $POD_NAMESERVER" >"$pod_resolver"
  case $ROLE in
    control-plane) write_init_config && kubeadm init --skip-token-print --config "$kubeadm_config" ;;
    worker) write_join_config && kubeadm join --config "$kubeadm_config" ;;
    *) say "ROLE is '$ROLE'; allowed: control-plane, worker" >&2 && exit 2 ;;
  esac
  touch "$done_mark"
  say "$NODE_NAME is part of the cluster"
}

trap tell_why EXIT
umask 077 # the configuration holds the join token
mkdir -p /etc/kubernetes/manifests
[ $# -gt 0 ] || hand_over_to_systemd
if [ "${1:-all}" != publish ]; then
  if [ -e "$done_mark" ]; then
    say "$NODE_NAME is already part of the cluster"
  else
    [ "${1:-all}" = join ] || prepare
    [ "${1:-all}" = prepare ] || join
  fi
fi
case ${1:-all} in all | publish) publish ;; esac
