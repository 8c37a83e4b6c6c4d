#!/bin/bash
# Boots one machine: becomes its first process and builds the root file system. One process in three stages,
# because a cgroup namespace is rooted at its creator's cgroup, and cgroup v2 allows processes in leaves only.
#
# LAB_MACHINE        host name            LAB_NETNS    its network namespace, a name below /run/netns
# LAB_ROOT           empty folder where the root file system is assembled
# LAB_DISK           what survives a reboot of the machine: etc, var, opt, tmp, root
# LAB_VISIBLE        host paths visible read-only at the same path, separated by ':'
# LAB_CGROUPS        the machine's cgroup in every hierarchy, as the host sees it, separated by ':'
# LAB_CGROUP_LEAF    child of its cgroup2 that holds the machine's own processes (empty: host has no cgroup2)
# LAB_CGROUP_MOUNTS  lines 'TYPE OPTIONS PATH': the hierarchies to mount
# LAB_SERVICES       services to run: "containerd kubelet", or empty
set -eu
here=$(dirname "$(readlink -f "$0")")

enter_cgroups() {
  local paths path
  IFS=: read -ra paths <<<"$LAB_CGROUPS"
  for path in "${paths[@]}"; do echo $$ >"$path/cgroup.procs"; done
  exec nsenter --net="/run/netns/$LAB_NETNS" unshare --cgroup /bin/bash "$0" settle-in-leaf
}

settle_in_leaf() {
  if [ -n "$LAB_CGROUP_LEAF" ]; then
    echo $$ >"$LAB_CGROUP_LEAF/cgroup.procs"
    local machine controller
    machine=$(dirname "$LAB_CGROUP_LEAF")
    for controller in $(cat "$machine/cgroup.controllers"); do
      # Not every controller can be delegated on every host; kubelet reports the missing ones.
      echo "+$controller" >"$machine/cgroup.subtree_control" || true
    done
  fi
  exec unshare --mount --uts --ipc --pid --fork --kill-child /bin/bash "$0" assemble-root
}

bind_host_folders() {
  local entry links=()
  for entry in /*; do
    case $entry in
      /proc | /sys | /dev | /run | /tmp | /var | /etc | /opt | /root | /lost+found) continue ;;
    esac
    if [ -L "$entry" ]; then
      links+=("$entry")
    elif [ -d "$entry" ]; then
      mkdir "$LAB_ROOT$entry"
      mount --rbind "$entry" "$LAB_ROOT$entry"
      # Programs and files come from the host; writes of pods and kubelet must not reach it.
      mount -o remount,bind,ro "$LAB_ROOT$entry"
    fi
  done
  [ ${#links[@]} -eq 0 ] || cp --no-dereference --target-directory "$LAB_ROOT/" "${links[@]}"
}

bind_disk() {
  local folder
  for folder in etc var opt tmp root; do
    mkdir "$LAB_ROOT/$folder"
    mount --bind "$LAB_DISK/$folder" "$LAB_ROOT/$folder"
  done
  chmod 1777 "$LAB_ROOT/tmp"
}

bind_visible() {
  local paths path
  IFS=: read -ra paths <<<"$LAB_VISIBLE"
  for path in "${paths[@]}"; do
    [ ! -e "$LAB_ROOT$path" ] || [ -z "$(ls -A "$LAB_ROOT$path")" ] || continue
    mkdir -p "$LAB_ROOT$path"
    mount --rbind "$path" "$LAB_ROOT$path"
    mount -o remount,bind,ro "$LAB_ROOT$path"
  done
}

mount_cgroups() {
  local type options path
  # cgroup v1 hosts have a tmpfs with several hierarchies there, cgroup v2 hosts a single hierarchy.
  if ! grep -q ' /sys/fs/cgroup$' <<<"$LAB_CGROUP_MOUNTS"; then
    mount -t tmpfs -o mode=755 cgroups "$LAB_ROOT/sys/fs/cgroup"
  fi
  while read -r type options path; do
    [ -n "$type" ] || continue
    mkdir -p "$LAB_ROOT$path"
    mount -t "$type" -o "$options" "$type" "$LAB_ROOT$path"
  done <<<"$LAB_CGROUP_MOUNTS"
}

mount_kernel_file_systems() {
  mkdir "$LAB_ROOT"/{proc,sys,dev,run}
  mount -t proc proc "$LAB_ROOT/proc"
  mount -t sysfs sysfs "$LAB_ROOT/sys" # shows the network devices of the namespace it is mounted in
  mount_cgroups
  mount -t bpf bpf "$LAB_ROOT/sys/fs/bpf"
  mount --rbind /dev "$LAB_ROOT/dev"
  mount -t tmpfs -o mode=1777 shm "$LAB_ROOT/dev/shm"
  mount -t tmpfs -o mode=755 run "$LAB_ROOT/run"
  mkdir "$LAB_ROOT/run/netns" "$LAB_ROOT/run/lock"
}

assemble_root() {
  hostname "$LAB_MACHINE"
  mount --make-rprivate /
  mount -t tmpfs -o mode=755 "$LAB_MACHINE" "$LAB_ROOT"
  bind_host_folders
  bind_disk
  bind_visible
  mount_kernel_file_systems
  mkdir "$LAB_ROOT/.host"
  cp "$here/init.sh" "$LAB_ROOT/run/init.sh"
  cd "$LAB_ROOT"
  pivot_root . .host
  cd /
  umount --lazy /.host
  rmdir /.host
  mount --make-rshared / # as on a booted machine: pods with mount propagation see new namespaces and volumes
  exec /bin/bash /run/init.sh
}

case ${1:-} in
  "") enter_cgroups ;;
  settle-in-leaf) settle_in_leaf ;;
  assemble-root) assemble_root ;;
esac
