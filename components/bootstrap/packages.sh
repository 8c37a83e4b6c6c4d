#!/bin/bash
# Puts programs and images of one release of Kubernetes on this machine: from the folder $RELEASES where a machine image has
# one (VERSION/{kubeadm,kubelet,kubectl,images/*.tar}), and from nowhere else then; otherwise from Kubernetes' own packages.
: "${RELEASES:=}"
# The key that Kubernetes signs its packages with (isv:kubernetes OBS Project): one for all releases so far.
kubernetes_key=DE15B14486CD377B9E876E1A234654DA9A296436

say() { echo "bootstrap: $*"; }

give_up() { # WHY: nothing that another try would change
  why=$*
  say "$why" >&2
  exit 2
}

has_systemd() { [ -d /run/systemd/system ]; }

# Without what a builder added: v1.35.0+k3s1 is v1.35.0.
installed_release() { # of kubeadm; empty where there is none
  local version
  version=$(kubeadm version --output short 2>/dev/null) || return 0
  echo "${version%%+*}"
}

install_kubernetes() { # VERSION PROGRAM...
  if [ -n "$RELEASES" ]; then link_release "$@"; else install_packages "$@"; fi
}

link_release() {
  local folder=$RELEASES/$1 program
  [ -d "$folder" ] || give_up "Kubernetes $1 is not among the releases of this machine: $(cd "$RELEASES" && echo *)"
  mkdir -p /opt/kubernetes/bin
  for program in "${@:2}"; do ln --symbolic --force "$folder/$program" /opt/kubernetes/bin/; done
}

install_packages() {
  local release=${1#v} key=/etc/apt/keyrings/kubernetes.asc source program packages=()
  for program in "${@:2}"; do packages+=("$program=$release-*"); done
  source=https://pkgs.k8s.io/core:/stable:/v${release%.*}/deb/
  say "installing ${*:2} $release"
  mkdir -p /etc/apt/keyrings
  curl --fail --silent --show-error --location --retry 5 --output "$key" "${source}Release.key"
  require_key "$key" "$kubernetes_key"
  chmod 644 "$key"
  echo "deb [signed-by=$key] $source /" >/etc/apt/sources.list.d/kubernetes.list
  apt_get update
  apt_get install --yes --no-install-recommends --allow-change-held-packages "${packages[@]}" ||
    give_up "${packages[*]} cannot be installed from $source: is it a release that exists, and is there a way out to it?"
  apt-mark hold "${@:2}"
}

require_key() { # FILE FINGERPRINT: the file holds this key and no other; apt would believe every one that is in it
  local home found
  command -v gpg >/dev/null || { apt_get update && apt_get install --yes --no-install-recommends gpg; }
  home=$(mktemp -d)
  found=$(gpg --homedir "$home" --batch --with-colons --show-keys "$1" 2>/dev/null | sed -n '/^pub:/,/^fpr:/s/^fpr:*\([0-9A-F]*\):$/\1/p' | tr '\n' ' ')
  rm -r "$home"
  [ "$found" = "$2 " ] || { rm "$1" && give_up "$source is signed by ${found:-no key }and not by $2 alone: nothing is installed from there"; }
}

apt_get() { # patient with who else installs, such as unattended upgrades
  DEBIAN_FRONTEND=noninteractive apt-get --quiet --option DPkg::Lock::Timeout=300 --option Dpkg::Options::=--force-confold "$@"
}

import_images() { # FOLDER of OCI archives
  local archive
  for archive in "$1"/*.tar; do
    [ ! -e "$archive" ] || ctr --address /run/containerd/containerd.sock --namespace k8s.io images import "$archive" >/dev/null
  done
}
