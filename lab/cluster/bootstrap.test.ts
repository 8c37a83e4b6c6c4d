import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { LabMachine } from "../../components/documents/lab.ts";
import type { ClusterNetworks, SaidFamilies } from "../../components/rules/families.ts";
import { nodeScript } from "../installation.ts";
import { parseSpec } from "../spec.ts";
import { certificateHash, settings } from "./bootstrap.ts";

const shell = (script: string, input = ""): string => execFileSync("sh", ["-c", script], { input, encoding: "utf8" });

it("certificateHash() equals the hash that kubeadm's documentation computes with openssl", () => {
  const pem = shell(
    "openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=kubernetes -days 1 2>/dev/null",
  );
  const documented = "openssl x509 -pubkey | openssl rsa -pubin -outform der 2>/dev/null | openssl dgst -sha256 -hex";
  expect(certificateHash(pem)).toBe(`sha256:${shell(documented, pem).trim().split(" ").at(-1)}`);
});

/** Runs one function of the bootstrap, with the functions that it calls. */
function joinConfiguration(hash: string) {
  const script = readFileSync(nodeScript(), "utf8");
  const body = /^write_join_config\(\) \{\n[\s\S]*?^\}\n/m.exec(script)?.[0] ?? "";
  const around = `set -euo pipefail; give_up() { echo "$*" >&2; exit 2; }; registration() { :; }; kubeadm_config=$(mktemp); trap 'rm "$kubeadm_config"' EXIT\n`;
  const env = { JOIN_TOKEN: "abcdef.0123456789abcdef", API_SERVER: "172.31.1.8:6443", CA_CERTIFICATE_HASH: hash };
  return spawnSync("bash", ["-c", `${around}${body}write_join_config; cat "$kubeadm_config"`], {
    env,
    encoding: "utf8",
  });
}

it("a worker joins only the control plane with the given certificate authority", () => {
  const hash = `sha256:${"0123456789abcdef".repeat(4)}`;
  expect(joinConfiguration(hash).stdout).toContain(`caCertHashes: ["${hash}"]`);
  for (const none of ["", "sha256:", "0123456789abcdef".repeat(4)]) {
    const { status, stdout, stderr } = joinConfiguration(none);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(`CA_CERTIFICATE_HASH is '${none}', but must be sha256: and 64 hexadecimal digits`);
  }
  expect(readFileSync(nodeScript(), "utf8")).not.toContain("unsafeSkipCAVerification");
});

const ipv4 = { podSubnet: "10.244.0.0/16", serviceSubnet: "10.96.0.0/12" };
const ipv6 = { podSubnetIpv6: "fd00:10:244::/56", serviceSubnetIpv6: "fd00:10:96::/112" };
const [both, alone] = ["fd00:172:31:1::8,172.31.1.8", "fd00:172:31:1::8"];

it.each<[string, ClusterNetworks & SaidFamilies, string, string]>([
  ["both families", { ...ipv4, ...ipv6 }, "172.31.1.8", "172.31.1.8,fd00:172:31:1::8"],
  ["IPv6 as its first family", { ...ipv4, ...ipv6, ipFamilies: ["IPv6", "IPv4"] }, alone, both],
  ["IPv6 alone", { ...ipv6, ipFamilies: ["IPv6"] }, alone, alone],
  ["IPv4 alone", ipv4, "172.31.1.8", "172.31.1.8"],
])(
  "with %s a control plane answers at its first address, and kubelet has all of them in this order",
  (_, networks, first, addresses) => {
    const address = networks.ipFamilies?.length === 1 ? alone : "172.31.1.8";
    const machines = [{ name: "master", role: "control-plane", address }];
    const spec = parseSpec(JSON.stringify({ name: "lab", kubernetesVersion: "v1.35.0", ...networks, machines }));
    const script = readFileSync(nodeScript(), "utf8");
    const bodies = ["node_addresses", "registration", "pairs", "write_init_config"].map(
      (name) => new RegExp(`^${name}\\(\\) \\{.*\\n[\\s\\S]*?^\\}\\n`, "m").exec(script)?.[0] ?? "",
    );
    const { stdout, stderr } = spawnSync(
      "bash",
      [
        "-c",
        `set -eu; runtime_socket=r volume_plugins=v kubeadm_config=$(mktemp)\n${bodies.join("")}write_init_config; cat "$kubeadm_config"; rm "$kubeadm_config"`,
      ],
      {
        env: { ...settings(spec, spec.machines[0] as LabMachine, "t"), PATH: process.env.PATH },
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    expect(stderr).toBe("");
    expect(stdout).toContain(`localAPIEndpoint: {advertiseAddress: "${first}", bindPort: 6443}`);
    expect(stdout).toContain(`{name: node-ip, value: "${addresses}"}`);
    const subnets = [networks.podSubnet, networks.podSubnetIpv6].filter((subnet) => subnet !== undefined);
    const ordered = first === alone ? subnets.reverse() : subnets;
    expect(stdout).toContain(`networking: {podSubnet: "${ordered.join(",")}", serviceSubnet: `);
  },
);
