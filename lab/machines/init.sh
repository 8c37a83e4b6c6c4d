#!/bin/bash
# The first process of a machine: runs its services, restarts the ones that end, reaps orphans (bash does), and
# stops everything on SIGTERM. Replaces systemd.
export PATH=/opt/kubernetes/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root

run_containerd() {
  until [ -f /etc/containerd/config.toml ]; do sleep 0.1; done
  exec containerd --config /etc/containerd/config.toml
}

run_kubelet() {
  # kubeadm writes both files; until then the machine is not part of a cluster.
  until [ -f /var/lib/kubelet/config.yaml ] && [ -f /var/lib/kubelet/kubeadm-flags.env ]; do sleep 0.1; done
  . /var/lib/kubelet/kubeadm-flags.env
  # shellcheck disable=SC2086 # the variable is a list of arguments
  exec kubelet --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf \
    --config=/var/lib/kubelet/config.yaml $KUBELET_KUBEADM_ARGS
}

# A router's; its configuration is on its disk.
run_bird() {
  mkdir -p /run/bird
  exec bird -f -c /etc/bird/bird.conf -s /run/bird/bird.ctl
}

# The user data of a cloud instance, on the schedule that it would set up in systemd: again after a failure, and every 20 minutes.
run_bootstrap() {
  until /bin/bash /var/lib/cloud/instance/user-data.txt; do sleep 10; done
  exec sleep 1200
}

supervise() {
  local service=$1 child
  trap 'kill -TERM "$child"; wait "$child"; exit 0' TERM
  while :; do
    "run_$service" &
    child=$!
    wait "$child"
    echo "$service ended with status $?; starting it again"
    sleep 1
  done >>"/var/log/$service.log" 2>&1
}

# Without a handler a first process never receives SIGTERM. The signal interrupts `wait`, so the script continues to its end.
trap 'kill -TERM $(jobs -p) 2>/dev/null' TERM
for service in $LAB_SERVICES; do supervise "$service" & done
sleep infinity &
touch /run/booted
wait
wait
