import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { nodeScript } from "../installation.ts";
import { certificateHash } from "./bootstrap.ts";

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

it.each([
  ["IPv4", "172.31.1.8", "172.31.1.8,fd00::8"],
  ["IPv6", "fd00::8", "fd00::8,172.31.1.8"],
])(
  "with %s as its first family a control plane answers at that address, and kubelet has both in this order",
  (FIRST_FAMILY, first, both) => {
    const script = readFileSync(nodeScript(), "utf8");
    const bodies = ["node_addresses", "registration", "pairs", "write_init_config"].map(
      (name) => new RegExp(`^${name}\\(\\) \\{.*\\n[\\s\\S]*?^\\}\\n`, "m").exec(script)?.[0] ?? "",
    );
    const networks = { POD_SUBNET: "p", SERVICE_SUBNET: "s", CERTIFICATE_NAMES: "", ETCD_ARGUMENTS: "" };
    const node = { NODE_NAME: "master", NODE_ADDRESS: "172.31.1.8", NODE_ADDRESS_IPV6: "fd00::8", FIRST_FAMILY };
    const others = {
      JOIN_TOKEN: "t",
      JOIN_TOKEN_TTL: "1h",
      API_SERVER: "[fd00::8]:6443",
      KUBERNETES_VERSION: "v1.35.0",
    };
    const rest = { CGROUP_DRIVER: "cgroupfs", KUBELET_SETTINGS: "", CONTROLLER_MANAGER_ARGUMENTS: "" };
    const { stdout, stderr } = spawnSync(
      "bash",
      [
        "-c",
        `set -eu; runtime_socket=r volume_plugins=v kubeadm_config=$(mktemp)\n${bodies.join("")}write_init_config; cat "$kubeadm_config"; rm "$kubeadm_config"`,
      ],
      {
        env: { ...networks, ...node, ...others, ...rest, PATH: process.env.PATH },
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    expect(stderr).toBe("");
    expect(stdout).toContain(`localAPIEndpoint: {advertiseAddress: "${first}", bindPort: 6443}`);
    expect(stdout).toContain(`{name: node-ip, value: "${both}"}`);
  },
);
