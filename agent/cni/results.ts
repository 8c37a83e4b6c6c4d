import type { Endpoint } from "./endpoint-store.ts";

/** The result object of an ADD (CNI specification, section 5). */
export function addResult(cniVersion: string, endpoint: Endpoint): object {
  const { hostInterface, hostMac, ifname, mac, netns, address } = endpoint;
  return {
    cniVersion,
    interfaces: [
      { name: hostInterface, mac: hostMac },
      { name: ifname, mac, sandbox: netns },
    ],
    ips: [{ ...family(cniVersion), address: `${address}/32`, interface: 1 }],
    routes: [{ dst: "0.0.0.0/0" }],
  };
}

export function loopbackResult(cniVersion: string, netns: string): object {
  return {
    cniVersion,
    interfaces: [{ name: "lo", mac: "00:00:00:00:00:00", sandbox: netns }],
    ips: [{ ...family(cniVersion), address: "127.0.0.1/8", interface: 0 }],
  };
}

// Before 1.0.0 each address stated its family.
function family(cniVersion: string): { version?: "4" } {
  return cniVersion.startsWith("0.") ? { version: "4" } : {};
}
