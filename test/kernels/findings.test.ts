import { expect, test } from "vitest";
import { findingsIn } from "./findings.ts";

const cost = { instructions: 1384, stack: 96, chain: [64, 32] };
const SERIAL = [
  "[    1.2] Run /init as init process",
  '{"kernel":"6.1.0-48-amd64","processor":"x64"}',
  `{"object":"socket","costs":{"connect4":${JSON.stringify(cost)}}}`,
  '{"object":"uplink","refused":"R3 pointer arithmetic prohibited"}',
  "[    2.1] a line of the kernel's",
  '{"packets":"walks: one"}',
  '{"packets":"walks: two","failed":"dropped"}',
  '{"connections":"a node port"}',
  '{"cards":"attached","failed":"none"}',
  '{"cards":"attached"}',
];

test("findingsIn() reads a serial line", () => {
  expect(findingsIn([...SERIAL, '{"end":true}', "guest ended"].join("\r\r\n"))).toEqual({
    kernel: "6.1.0-48-amd64",
    processor: "x64",
    costs: { socket: { connect4: cost } },
    refused: { uplink: "R3 pointer arithmetic prohibited" },
    packets: { "walks: one": undefined, "walks: two": "dropped" },
    connections: { "a node port": undefined },
    cards: { attached: "none" },
    encryption: {},
  });
});

test("findingsIn() rejects incomplete output", () => {
  expect(() => findingsIn(SERIAL.join("\n"))).toThrow(/output is incomplete:.*\n.*walks: two.*attached/s);
});
