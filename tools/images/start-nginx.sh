#!/bin/sh
# Starts nginx on the sockets that the kernel has: with ipv6.disable=1 a listen [::]:80 would keep it from starting.
set -eu
[ ! -e /proc/net/if_inet6 ] || echo 'listen [::]:80;' >/run/listen-ipv6.conf
exec /usr/sbin/nginx -c /etc/nginx/nginx.conf "$@"
