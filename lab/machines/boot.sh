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

enter_cgroups() {
  local paths path
  IFS=: read -ra paths <<<"$LAB_CGROUPS"
  for path in "${paths[@]}"; do echo $$ >"$path/cgroup.procs"; done
  exec nsenter --net="/run/netns/$LAB_NETNS" unshare --cgroup /bin/bash "$0" settle-in-leaf
}

settle_in_leaf() {
  if [ -n "$LAB_CGROUP_LEAF" ]; then
    echo $$ >"$LAB_CGROUP_LEAF/cgroup.procs"
    local machine=${LAB_CGROUP_LEAF%/*} controller
    for controller in $(<"$machine/cgroup.controllers"); do
      # Not every controller can be delegated on every host; kubelet reports the missing ones.
      echo "+$controller" >"$machine/cgroup.subtree_control" || true
    done
  fi
  exec unshare --mount --uts --ipc --pid --fork --kill-child /bin/bash "$0" assemble-root
}

# Collected lines of an fstab(5): one process makes all mounts, in their order, and the folders that they need. Each program that a boot
# starts costs milliseconds, and tests boot hundreds of machines.
mounts=()

# add_mount SOURCE TARGET TYPE OPTIONS: TARGET as the machine sees it.
add_mount() {
  local source=${1// /\\040} target=${2// /\\040}
  mounts+=("$source ${LAB_ROOT// /\\040}$target $3 $4,X-mount.mkdir 0 0")
}

bind_host_folders() {
  local entry
  links=()
  for entry in /*; do
    case $entry in
      /proc | /sys | /dev | /run | /tmp | /var | /etc | /opt | /root | /lost+found) continue ;;
    esac
    if [ -L "$entry" ]; then
      links+=("$entry")
    elif [ -d "$entry" ]; then
      # Programs and files come from the host; writes of pods and kubelet must not reach it.
      add_mount "$entry" "$entry" none rbind,ro
    fi
  done
}

bind_disk() {
  local folder
  for folder in etc var opt tmp root; do add_mount "$LAB_DISK/$folder" "/$folder" none bind; done
}

# Paths below a folder of the host, or below another of these, are there already, and so are those that the machine's disk has.
bind_visible() {
  local paths path content above=""
  shopt -s nullglob dotglob
  IFS=: read -ra paths <<<"$LAB_VISIBLE"
  for path in "${paths[@]}"; do
    case $path in
      /var/* | /etc/* | /opt/* | /tmp/* | /root/*) ;;
      *) continue ;;
    esac
    [ -z "$above" ] || [ "$path" = "${path#"$above"/}" ] || continue
    content=("$LAB_DISK$path"/*)
    if [ ! -e "$LAB_DISK$path" ] || { [ -d "$LAB_DISK$path" ] && [ ${#content[@]} -eq 0 ]; }; then
      add_mount "$path" "$path" none rbind,ro
      above=$path
    fi
  done
  shopt -u nullglob dotglob
}

mount_cgroups() {
  local type options path
  # cgroup v1 hosts have a tmpfs with several hierarchies there, cgroup v2 hosts a single hierarchy.
  case $'\n'$LAB_CGROUP_MOUNTS$'\n' in
    *$' /sys/fs/cgroup\n'*) ;;
    *) add_mount cgroups /sys/fs/cgroup tmpfs mode=755 ;;
  esac
  while read -r type options path; do
    [ -n "$type" ] || continue
    add_mount "$type" "$path" "$type" "$options"
  done <<<"$LAB_CGROUP_MOUNTS"
}

mount_kernel_file_systems() {
  add_mount proc /proc proc defaults
  add_mount sysfs /sys sysfs defaults # shows the network devices of the namespace it is mounted in
  mount_cgroups
  add_mount bpf /sys/fs/bpf bpf defaults
  add_mount /dev /dev none rbind
  add_mount shm /dev/shm tmpfs mode=1777
  add_mount run /run tmpfs mode=755
}

assemble_root() {
  hostname "$LAB_MACHINE"
  mount --make-rprivate /
  mount -t tmpfs -o mode=755 "$LAB_MACHINE" "$LAB_ROOT"
  bind_host_folders
  bind_disk
  bind_visible
  mount_kernel_file_systems
  printf '%s\n' "${mounts[@]}" >"${LAB_DISK%/*}/fstab"
  mount --all --fstab "${LAB_DISK%/*}/fstab"
  [ ${#links[@]} -eq 0 ] || cp --no-dereference --target-directory "$LAB_ROOT/" "${links[@]}"
  chmod 1777 "$LAB_ROOT/tmp"
  mkdir "$LAB_ROOT/.host" "$LAB_ROOT/run/netns" "$LAB_ROOT/run/lock"
  cp "$(dirname "$(readlink -f "$0")")/init.sh" "$LAB_ROOT/run/init.sh"
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
