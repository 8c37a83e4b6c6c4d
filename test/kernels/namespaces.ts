/** The command that runs a script of this project in new namespaces with a bpffs, which disappear with it. */
export function insideArgv(script: string, ...args: string[]): string[] {
  const mounted = 'mount -t bpf bpf /sys/fs/bpf && exec "$0" "$@"';
  const node = [process.execPath, "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", script, ...args];
  return ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", mounted, ...node];
}
