import { expect, test } from "vitest";
import { BANDWIDTH, bandwidthProblem, bandwidthsOf } from "./bandwidth.ts";

const egress = (text: string) => bandwidthsOf({ [BANDWIDTH.egress]: text }).egress;

test.each([
  ["10M", 10e6],
  ["1k", 1000],
  ["1P", 1e15],
  ["1.5Gi", 1.5 * 2 ** 30],
  ["1e6", 1e6],
  ["1.2E+7", 1.2e7],
  ["2000", 2000],
  ["1500000m", 1500],
  [".5M", 500_000],
])("bandwidthsOf() reads %s as %d bits per second", (text, bits) => {
  expect(egress(text)).toBe(bits);
  expect(bandwidthProblem(text)).toBeUndefined();
});

test.each([
  "",
  "10",
  "999",
  "1.1P",
  "1E",
  "-10M",
  "10 M",
  "10m",
  "10Mbit",
  "ten",
  "0x10",
  "1e",
  "NaN",
  "Infinity",
  "10K",
])("bandwidthsOf() does not follow %j, and bandwidthProblem() says what is allowed", (text) => {
  expect(egress(text)).toBeUndefined();
  expect(bandwidthProblem(text)).toContain("bits per second from 1k to 1P");
});

test("an annotation as long as the API server takes one is refused at once, whoever wrote it", () => {
  expect(bandwidthProblem(`${"1".repeat(256 * 1024)}x`)).toContain('"1111');
});

test("bandwidthsOf() tells the two directions apart", () => {
  expect(bandwidthsOf({ [BANDWIDTH.ingress]: "1M", [BANDWIDTH.egress]: "2M" })).toEqual({ ingress: 1e6, egress: 2e6 });
  expect(bandwidthsOf({ [BANDWIDTH.ingress]: "1M", [BANDWIDTH.egress]: "fast" })).toEqual({ ingress: 1e6 });
  expect(bandwidthsOf()).toEqual({});
});
