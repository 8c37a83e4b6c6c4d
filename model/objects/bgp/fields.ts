import { z } from "zod";
import { type AddressUse, useOf } from "../../address/address.ts";
import { objectName } from "../calico-policy/fields.ts";
import { asNumberOf, communityOf, LAST_AS_NUMBER, peerAddressOf, restartSecondsOf } from "./values.ts";

// The values of values.ts as zod schemas.

export const asNumber = z.union([z.number(), z.string()]).transform((written, context) => {
  const number = asNumberOf(written);
  if (number !== undefined) return number;
  context.addIssue(`allowed are numbers from 1 to ${LAST_AS_NUMBER}, or two of 16 bits with a dot between them`);
  return z.NEVER;
});

/** A TCP port; 0 is none. */
export const port = z.int().min(1).max(65_535);

export const restartTime = z.string().transform((text, context) => {
  const seconds = restartSecondsOf(text);
  if (seconds !== undefined) return seconds;
  context.addIssue("allowed are 1 to 3600 seconds, such as 120s or 2m");
  return z.NEVER;
});

/** Where a password is. Its namespace is the agents'. */
export const password = z.strictObject({
  secretKeyRef: z.strictObject({
    name: objectName,
    key: z.string().regex(/^[-._a-zA-Z0-9]{1,253}$/, { error: "the key of a Secret: letters, digits, -, _ and ." }),
    optional: z
      .literal(false, { error: "only false: a session that is to have a password never goes without" })
      .nullish(),
  }),
});
export type SecretReference = z.output<typeof password>["secretKeyRef"];

/** "64512:100" or "64512:1:100": a list of its numbers. */
export const communityValue = z.string().transform((text, context) => {
  const numbers = communityOf(text);
  if (numbers) return numbers;
  context.addIssue(`"${text}" is no community; allowed are two numbers of 16 bits, or three of 32: 64512:100`);
  return z.NEVER;
});

// Link-local addresses are not usable without an interface.
const NO_MACHINES: ReadonlySet<AddressUse> = new Set<AddressUse>([
  "unspecified",
  "loopback",
  "multicast",
  "broadcast",
  "linkLocal",
  "ipv4Compatible",
]);

/** An address, perhaps with a port: 192.0.2.1, 192.0.2.1:1179, 2001:db8::1, [2001:db8::1]:1179. */
export const peerAddress = z.string().transform((text, context) => {
  const read = peerAddressOf(text);
  if (read && !NO_MACHINES.has(useOf(read.address))) return read;
  context.addIssue(`"${text}" is no address of a machine; allowed are 192.0.2.1, 192.0.2.1:179, [2001:db8::1]:179`);
  return z.NEVER;
});
