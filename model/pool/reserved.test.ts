import { expect, test } from "vitest";
import { parseCidr } from "../address/address.ts";
import { ipReservation } from "../objects/calico.ts";
import { reservedAddresses } from "./reserved.ts";

const reservation = (...reservedCIDRs: unknown[]) =>
  ipReservation.parse({ metadata: { name: "routers" }, spec: { reservedCIDRs } });

test("addresses and networks of every reservation are reserved, in both families", () => {
  const reserved = reservedAddresses([reservation("10.1.0.7", "10.2.0.9/28"), reservation("fd00::8/125")]);
  const asked = ["10.1.0.7", "10.1.0.8", "10.2.0.0", "10.2.0.15", "10.2.0.16", "fd00::f", "fd00::10"];
  expect(asked.filter((address) => reserved.has(address))).toEqual(["10.1.0.7", "10.2.0.0", "10.2.0.15", "fd00::f"]);
  expect(reservedAddresses([]).has("10.1.0.7")).toBe(false);
  const around = (text: string) => reserved.around(parseCidr(text))?.text;
  expect(["10.2.0.8/29", "10.2.0.0/27", "fd00::8/126"].map(around)).toEqual(["10.2.0.0/28", undefined, "fd00::8/125"]);
});

test("an object without networks reserves nothing, and what is no network is said with its path", () => {
  const empty = ipReservation.parse({ metadata: { name: "empty" } });
  expect(reservedAddresses([empty]).has("10.1.0.7")).toBe(false);
  expect(() => reservation("10.1.0.0/16", "10.1.0.300")).toThrow(/"10.1.0.300\\?" is neither an address nor a CIDR/);
  expect(() => ipReservation.parse({ metadata: { name: "x" }, spec: { reservedCidrs: [] } })).toThrow("reservedCidrs");
});
