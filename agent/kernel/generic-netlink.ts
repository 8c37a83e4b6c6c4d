// Families of generic netlink, by their names: genetlink.h.
import { ACK, REQUEST } from "./netlink.ts";
import { attribute, attributeOf, text } from "./netlink-attributes.ts";
import { DUMP, exchange } from "./netlink-exchange.ts";

const NETLINK_GENERIC = 16;
const CONTROLLER = 16;
const GET_FAMILY = 3;
const [FAMILY_ID, FAMILY_NAME] = [1, 2];
const HEADER = 4; // struct genlmsghdr

/** The body of a message. @param attributes one behind the other */
function genericMessage(command: number, attributes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(command, 1, 0, 0), attributes]);
}

/** The number that the kernel gave a family. @throws NetlinkError (ENOENT) when it has none of that name */
function familyNumber(name: string): number {
  const question = genericMessage(GET_FAMILY, attribute(FAMILY_NAME, text(name)));
  const [answer = new Uint8Array()] = exchange(NETLINK_GENERIC, CONTROLLER, REQUEST | ACK, question);
  const id = attributeOf(answer.subarray(HEADER), FAMILY_ID);
  if (!id) throw new Error(`The kernel did not say the number of the netlink family ${name}.`);
  return id.readUInt16LE();
}

/** The attributes of each message of a list. @throws NetlinkError */
export function listGeneric(family: string, command: number, attributes: Uint8Array): Uint8Array[] {
  const body = genericMessage(command, attributes);
  return exchange(NETLINK_GENERIC, familyNumber(family), REQUEST | DUMP, body).map((one) => one.subarray(HEADER));
}

/** @throws NetlinkError */
export function changeGeneric(family: string, command: number, changes: readonly Uint8Array[]): void {
  const number = familyNumber(family);
  for (const attributes of changes)
    exchange(NETLINK_GENERIC, number, REQUEST | ACK, genericMessage(command, attributes));
}
