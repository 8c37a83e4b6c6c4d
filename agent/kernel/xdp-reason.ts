// Why a driver refuses the program. A link (bpf_link_create) fails with the number of an error only. A change of the interface by rtnetlink
// is also answered with the driver's sentence (NLMSGERR_ATTR_MSG).
import { ACK, REQUEST } from "./netlink.ts";
import { attribute, nested, number32 } from "./netlink-attributes.ts";
import { exchange, NetlinkError } from "./netlink-exchange.ts";

export const XDP_FLAGS_DRV_MODE = 1 << 2;
const NETLINK_ROUTE = 0;
const RTM_NEWLINK = 16;
const IFLA_XDP = 43;
const XDP = { fd: 1, flags: 3, expectedFd: 8 };
const [UPDATE_IF_NOEXIST, REPLACE] = [1 << 0, 1 << 4];

/** Asks an interface without a program of ours; call it after a refusal. @returns the driver's sentence; undefined: there is none, or
 * the driver no longer refuses */
export function driversReason(ifindex: number, programFd: number): string | undefined {
  try {
    change(ifindex, [
      attribute(XDP.fd, number(programFd)),
      attribute(XDP.flags, number32(UPDATE_IF_NOEXIST | XDP_FLAGS_DRV_MODE)),
    ]);
  } catch (error) {
    return error instanceof NetlinkError ? error.reason : undefined;
  }
  // The driver accepts the program now. Only a link ends with the agent's pins, so this attachment is removed, and the next look makes a
  // link.
  change(ifindex, [
    attribute(XDP.fd, number(-1)),
    attribute(XDP.expectedFd, number(programFd)),
    attribute(XDP.flags, number32(REPLACE | XDP_FLAGS_DRV_MODE)),
  ]);
  return undefined;
}

function change(ifindex: number, attributes: readonly Uint8Array[]): void {
  const header = Buffer.alloc(16); // struct ifinfomsg
  header.writeInt32LE(ifindex, 4);
  exchange(NETLINK_ROUTE, RTM_NEWLINK, REQUEST | ACK, Buffer.concat([header, nested(IFLA_XDP, attributes)]));
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}
