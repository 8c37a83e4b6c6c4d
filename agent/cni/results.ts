import { familyOf, hostCidr } from "../../model/address/address.ts";
import { addressesOf } from "../../model/objects/pod-of.ts";
import type { Endpoint } from "./endpoint-store.ts";

/** The result object of an ADD (CNI specification, section 5). */
export function addResult(cniVersion: string, endpoint: Endpoint): object {
  const { hostInterface, hostMac, ifname, mac, netns } = endpoint;
  const addresses = addressesOf(endpoint);
  return {
    cniVersion,
    interfaces: [
      { name: hostInterface, mac: hostMac },
      { name: ifname, mac, sandbox: netns },
    ],
    ips: addresses.map((address) => ({
      ...version(cniVersion, address),
      address: hostCidr(address).text,
      interface: 1,
    })),
    routes: addresses.map((address) => ({ dst: familyOf(address) === "IPv6" ? "::/0" : "0.0.0.0/0" })),
  };
}

export function loopbackResult(cniVersion: string, netns: string): object {
  return {
    cniVersion,
    interfaces: [{ name: "lo", mac: "00:00:00:00:00:00", sandbox: netns }],
    ips: [{ ...version(cniVersion, "127.0.0.1"), address: "127.0.0.1/8", interface: 0 }],
  };
}

// Before 1.0.0 each address stated its family.
function version(cniVersion: string, address: string): { version?: "4" | "6" } {
  if (!cniVersion.startsWith("0.")) return {};
  return { version: familyOf(address) === "IPv6" ? "6" : "4" };
}
