#!/bin/sh
# Has the running kernel's verifier judge every object in a folder: `verify.sh FOLDER`. Prints one line an object,
# "verified NAME" or "refused NAME" with the verifier's last words indented below it.
#
# The objects pin their maps by name below /sys/fs/bpf (libbpf's default), so that place must be the caller's own. They
# are loaded together: maps that two objects name must also agree in type and size.
folder=$1
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for object in "$folder"/*.bpf.o; do
	name=$(basename "$object" .bpf.o)
	if bpftool prog loadall "$object" "/sys/fs/bpf/programs-$name" >"$log" 2>&1; then
		echo "verified $name"
	else
		echo "refused $name"
		tail -n 25 "$log" | sed 's/^/  /'
	fi
done
