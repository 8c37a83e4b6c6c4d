import { LabFailure } from "../failure.ts";
import { machineNamespace } from "../names.ts";
import { machineCgroups } from "./cgroups.ts";
import { attempt, type CommandOptions, type CommandResult } from "./command.ts";
import { firstProcess } from "./machine.ts";

/**
 * Joins the machine's cgroups (its socket hooks apply to the processes in them), then its namespaces. Killing the outer
 * process kills the command: each process dies with its parent.
 */
const enterScript = `
cgroups=$1 pid=$2; shift 2
IFS=:; for cgroup in $cgroups; do echo $$ > "$cgroup/cgroup.procs" || exit 125; done
exec setpriv --pdeathsig KILL nsenter --target "$pid" --mount --uts --ipc --net --pid --cgroup -- setpriv --pdeathsig KILL "$@"
`;

/** Programs of the machine come before those that it shares with the host. */
const machinePath = "/opt/kubernetes/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The command line that runs a command inside a machine. @throws LabFailure if the machine is not running. */
export function enterArgv(lab: string, machine: string, argv: string[]): string[] {
  const init = firstProcess(lab, machine);
  if (!init)
    throw new LabFailure(`machine ${machine} of lab ${lab} is not running`, {
      next: `see 'status ${lab}', or run 'up'`,
    });
  const homes = machineCgroups(machineNamespace(lab, machine)).homes.join(":");
  const environment = ["env", `PATH=${machinePath}`, "HOME=/root", "KUBECONFIG=/etc/kubernetes/admin.conf"];
  return ["/bin/sh", "-c", enterScript, "enter", homes, String(init.pid), ...environment, ...argv];
}

/** Runs a command inside a machine to its end. */
export function runIn(
  lab: string,
  machine: string,
  argv: string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return attempt(enterArgv(lab, machine, argv), options);
}
