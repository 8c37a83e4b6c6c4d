#!/bin/bash
# Takes this node to another release of Kubernetes, in two steps: between them the node is drained. Each may be repeated. Comes after
# packages.sh; `cluster upgrade` runs both in the namespaces of the machine's first process.
#
# Arguments: the step and the release.
#   components   kubeadm of that release upgrades what it looks after: on the control plane its pods, CoreDNS and the cluster's
#                configuration, on every node the configuration of its kubelet
#   kubelet      the kubelet, which is restarted; pods keep running
set -euo pipefail
step=$1 version=$2
[ ! -r /etc/default/kubernetes-bootstrap ] || . /etc/default/kubernetes-bootstrap

# Swap and cgroups that were accepted when the node was made are accepted again.
tolerant=(--ignore-preflight-errors SystemVerification,Swap)

upgrade_components() {
  install_kubernetes "$version" kubeadm
  if [ -e /etc/kubernetes/manifests/kube-apiserver.yaml ]; then
    [ -z "$RELEASES" ] || import_images "$RELEASES/$version/images"
    kubeadm upgrade apply "$version" --yes "${tolerant[@]}" --skip-phases addon/kube-proxy
    publish_release
  else
    kubeadm upgrade node "${tolerant[@]}"
  fi
}

# Workers that join from now on ask for this release. It is also published every 20 minutes.
publish_release() {
  local user_data=/var/lib/cloud/instance/user-data.txt
  [ ! -e "$user_data" ] || /bin/bash "$user_data" publish || say "the release is published later"
}

upgrade_kubelet() {
  install_kubernetes "$version" kubelet kubectl
  if has_systemd; then
    systemctl daemon-reload
    systemctl restart kubelet
  else
    pkill --exact kubelet # its supervisor starts it again
  fi
}

"upgrade_$step"
