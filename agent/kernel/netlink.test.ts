import { expect, test } from "vitest";
import { NLMSG_ERROR, netlinkError, netlinkErrorText, netlinkMessage, netlinkMessages } from "./netlink.ts";
import { attribute, text } from "./netlink-attributes.ts";

/** The kernel's answer, without a copy of the request but its header. */
function answer(code: number, ...attributes: Uint8Array[]) {
  const head = Buffer.alloc(20); // struct nlmsgerr
  head.writeInt32LE(code, 0);
  const [message] = netlinkMessages(netlinkMessage(NLMSG_ERROR, 0, Buffer.concat([head, ...attributes])));
  if (!message) throw new Error("no message");
  return message;
}

test("an error is a number, and the sentence that the kernel or a driver adds", () => {
  const refused = answer(
    -95,
    attribute(2, Buffer.alloc(4)),
    attribute(1, text("virtio_net: MTU too large to enable XDP")),
  );
  expect([netlinkError(refused), netlinkErrorText(refused)]).toEqual([-95, "virtio_net: MTU too large to enable XDP"]);
});

test("most errors are a number alone, and success is one too", () => {
  expect(netlinkErrorText(answer(-22))).toBeUndefined();
  expect(netlinkErrorText(answer(-22, attribute(2, Buffer.alloc(4))))).toBeUndefined();
  expect([netlinkError(answer(0)), netlinkErrorText(answer(0))]).toEqual([0, undefined]);
});
