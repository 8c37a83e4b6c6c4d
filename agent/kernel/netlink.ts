// Messages to the kernel and their answers: netlink(7).
import { attributeOf } from "./netlink-attributes.ts";

export const AF_NETLINK = 16;
export const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const REQUEST = 0x1;
export const ACK = 0x4;

const HEADER = 16; // struct nlmsghdr

export interface NetlinkMessage {
  readonly type: number;
  /** The number of the request that the message answers. */
  readonly sequence: number;
  readonly body: Uint8Array;
}

/** The message as it is sent, filled up to where the next one may begin. */
export function netlinkMessage(type: number, flags: number, body: Uint8Array, sequence = 0): Uint8Array {
  const message = new Uint8Array(HEADER + aligned(body.length));
  const view = new DataView(message.buffer);
  view.setUint32(0, HEADER + body.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, sequence, true);
  message.set(body, HEADER);
  return message;
}

/** The messages of one answer. */
export function netlinkMessages(received: Uint8Array): NetlinkMessage[] {
  const view = new DataView(received.buffer, received.byteOffset, received.byteLength);
  const all: NetlinkMessage[] = [];
  for (let at = 0; at + HEADER <= received.length; ) {
    const length = view.getUint32(at, true);
    if (length < HEADER) break;
    const body = received.subarray(at + HEADER, at + length);
    all.push({ type: view.getUint16(at + 4, true), sequence: view.getUint32(at + 8, true), body });
    at += aligned(length);
  }
  return all;
}

const ERROR = 4 + HEADER; // struct nlmsgerr
const ERROR_TEXT = 1; // NLMSGERR_ATTR_MSG

/** The kernel's sentence beside the number, on a socket that asks for no copy of the request (NETLINK_CAP_ACK); undefined: there is
 * none. */
export function netlinkErrorText({ body }: NetlinkMessage): string | undefined {
  const text = body.length > ERROR ? attributeOf(body.subarray(ERROR), ERROR_TEXT) : undefined;
  return text?.toString("utf8").replace(/\0.*$/s, "");
}

/** The number in a message of type NLMSG_ERROR: 0, or a negative errno. */
export function netlinkError({ body }: NetlinkMessage): number {
  return new DataView(body.buffer, body.byteOffset).getInt32(0, true);
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}
