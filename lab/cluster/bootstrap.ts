import { createHash, X509Certificate } from "node:crypto";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { API_SERVER_PORT } from "../../components/documents/defaults.ts";
import { firstAddress, type LabMachine, type LabSpec, labAddressIpv6 } from "../../components/documents/lab.ts";
import { isIpv6 } from "../../components/rules/addresses.ts";
import { familiesOf } from "../../components/rules/families.ts";
import type { Family } from "../../model/address/address.ts";
import { LabFailure } from "../failure.ts";
import { nodeScript } from "../installation.ts";
import { runIn } from "../machines/enter.ts";
import { lastLines } from "../machines/log.ts";
import { machineDisk, machineFolder } from "../names.ts";
import { certificateAuthority } from "./api-server.ts";
import { controlPlaneOf } from "./description.ts";
import { joinTokenLife } from "./join-token.ts";

/** kubeadm has finished on this machine (the mark that components/bootstrap/node.sh leaves). */
export function isBootstrapped(lab: string, machine: string): boolean {
  return existsSync(join(machineDisk(lab, machine), "etc/kubernetes/bootstrapped"));
}

/** The release of a node's kubelet. A new node starts with the control plane's release and is upgraded like the others. */
function releaseOf(lab: string, machine: string): string | undefined {
  const link = join(machineDisk(lab, machine), "opt/kubernetes/bin/kubelet");
  const release = isBootstrapped(lab, machine) ? basename(dirname(readlinkSync(link))) : "";
  return release.startsWith("v") ? release : undefined;
}

/**
 * Kubelet settings of a lab: cgroup v1 hosts are allowed, and a full disk on this host must not evict the lab's
 * pods and images, which no registry could restore.
 */
const kubeletSettings = `failCgroupV1: false
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 100Mi, nodefs.available: 0%, nodefs.inodesFree: 0%, imagefs.available: 0%}`;

/** PEM certificate → kubeadm's hash of the CA: SHA-256 over the DER public key (RFC 7469, section 2.4). */
export function certificateHash(pem: string): string {
  const key = new X509Certificate(pem).publicKey.export({ type: "spki", format: "der" });
  return `sha256:${createHash("sha256").update(key).digest("hex")}`;
}

/** kubeadm's form of a network of each address family, the first one first. */
const ofEach = (spec: LabSpec, networks: Record<Family, string | undefined>): string =>
  familiesOf(spec)
    .map((family) => networks[family])
    .join(",");

/** `172.31.1.8:6443` or `[fd00::8]:6443`. */
const endpoint = (host: string, port: number): string => `${isIpv6(host) ? `[${host}]` : host}:${port}`;

/** The settings for the bootstrap of a node. */
export function settings(spec: LabSpec, machine: LabMachine, joinToken: string): Record<string, string> {
  const controlPlane = controlPlaneOf(spec);
  const families = familiesOf(spec);
  const authority = certificateAuthority(spec.name, controlPlane.name);
  const trust = machine.role === "worker" && existsSync(authority); // it exists before a worker may join
  return {
    ROLE: machine.role,
    NODE_NAME: machine.name,
    NODE_ADDRESS: families.includes("IPv4") ? machine.address : "",
    NODE_ADDRESS_IPV6: families.includes("IPv6") ? labAddressIpv6(machine, spec) : "",
    KUBERNETES_VERSION: releaseOf(spec.name, controlPlane.name) ?? spec.kubernetesVersion,
    FIRST_FAMILY: families[0] ?? "",
    API_SERVER: endpoint(firstAddress(spec, controlPlane), API_SERVER_PORT),
    JOIN_TOKEN: joinToken,
    JOIN_TOKEN_TTL: joinTokenLife,
    POD_SUBNET: ofEach(spec, { IPv4: spec.podSubnet, IPv6: spec.podSubnetIpv6 }),
    SERVICE_SUBNET: ofEach(spec, { IPv4: spec.serviceSubnet, IPv6: spec.serviceSubnetIpv6 }),
    CERTIFICATE_NAMES: "127.0.0.1 localhost",
    ETCD_ARGUMENTS: "unsafe-no-fsync=true", // a crash of the host can only lose a lab
    // With the default of 20 requests per second its controllers take five seconds longer to start. It is alone, and an election writes a
    // lease every two seconds.
    CONTROLLER_MANAGER_ARGUMENTS: "kube-api-qps=200 kube-api-burst=400 leader-elect=false",
    CA_CERTIFICATE_HASH: trust ? certificateHash(readFileSync(authority, "utf8")) : "",
    CGROUP_DRIVER: "cgroupfs",
    KUBELET_SETTINGS: kubeletSettings,
    RESTRICT_OOM_SCORE: "true",
  };
}

/**
 * Runs the bootstrap of nodes on a machine.
 * @param step "prepare" ends when containerd answers; "join" adds the machine to the cluster.
 * @throws LabFailure with the end of the bootstrap's log.
 */
export async function bootstrap(
  spec: LabSpec,
  machine: LabMachine,
  joinToken: string,
  step: "prepare" | "join",
): Promise<void> {
  const log = join(machineFolder(spec.name, machine.name), `bootstrap-${step}.log`);
  const result = await runIn(spec.name, machine.name, ["/bin/bash", nodeScript(), step], {
    env: settings(spec, machine, joinToken),
    timeout: 600_000,
    log,
  });
  if (result.status === 0) return;
  const attempted =
    step === "prepare" ? "start containerd" : machine.role === "worker" ? "join the cluster" : "create the cluster";
  throw new LabFailure(`cannot ${attempted} on machine ${machine.name}:\n${lastLines(log)}`, {
    next: `the whole log is ${log}; kubelet's and containerd's are in ${join(machineDisk(spec.name, machine.name), "var/log")}`,
  });
}
