# Runs one of this package's programs, wherever the package is on this computer. What Pulumi keeps of a command holds no path of the
# computer that made it: any checkout, on any computer, updates and destroys. $0 is the command, like "cluster preflight".
eval "set -- $0"
program=$1
found=
use() {
  if [ -z "$found" ] && [ -f "$1/dist/$program.js" ] && grep -qs '"name": *"ebpf-dataplane"' "$1/package.json"; then found=$1; fi
}
if [ -n "${EBPF_DATAPLANE_PACKAGE-}" ]; then
  use "$EBPF_DATAPLANE_PACKAGE"
else
  # The folder that a project in another language names, then npm's way of looking, then Pulumi's plugins, the newest first.
  use "$(sed -n 's/^ *ebpf-dataplane: *\([^ #]*\).*/\1/p' Pulumi.yaml 2>/dev/null)"
  folder=$PWD
  while [ -n "$folder" ]; do
    use "$folder/node_modules/ebpf-dataplane"
    use "$folder"
    folder=${folder%/*}
  done
  for plugin in $(ls -dt "${PULUMI_HOME:-$HOME/.pulumi}"/plugins/resource-*ebpf-dataplane* 2>/dev/null); do use "$plugin"; done
fi
if [ -z "$found" ]; then
  echo "The command \"$0\" needs dist/$program.js of the package ebpf-dataplane, which is not found from ${EBPF_DATAPLANE_PACKAGE:-$PWD}." >&2
  echo "Install the package there (npm install; in a checkout: make build), or set EBPF_DATAPLANE_PACKAGE to its folder." >&2
  exit 1
fi
shift
exec node "$found/dist/$program.js" "$@"
