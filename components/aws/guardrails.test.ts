import { expect, test } from "vitest";
import { diskIsEncrypted, metadataNeedsToken, nodePortsNotOpenToWorld, sshNotOpenToWorld } from "./guardrails.ts";

const tcp = (fromPort: number, toPort: number, cidrIpv4: string) => ({ ipProtocol: "tcp", fromPort, toPort, cidrIpv4 });

test.each([
  ["port 22 to everybody", tcp(22, 22, "0.0.0.0/0"), true],
  ["half of the world", tcp(22, 22, "128.0.0.0/1"), true],
  ["a range around it", tcp(0, 1023, "0.0.0.0/0"), true],
  ["every protocol", { ipProtocol: "-1", cidrIpv4: "0.0.0.0/0" }, true],
  ["a large private network", tcp(22, 22, "10.0.0.0/8"), false],
  ["a group", { ipProtocol: "tcp", fromPort: 22, toPort: 22 }, false],
  ["another port", tcp(443, 443, "0.0.0.0/0"), false],
  ["UDP", { ...tcp(22, 22, "0.0.0.0/0"), ipProtocol: "udp" }, false],
])("SSH: %s", (_, rule, isWrong) => {
  expect(sshNotOpenToWorld(rule) !== undefined).toBe(isWrong);
});

test.each([
  ["all of them", tcp(30000, 32767, "0.0.0.0/0"), true],
  ["one by UDP", { ...tcp(30604, 30604, "0.0.0.0/0"), ipProtocol: "udp" }, true],
  ["to one network", tcp(30000, 32767, "198.51.100.0/24"), false],
  ["a port below", tcp(29999, 29999, "0.0.0.0/0"), false],
])("node ports: %s", (_, rule, isWrong) => {
  expect(nodePortsNotOpenToWorld(rule) !== undefined).toBe(isWrong);
});

test("metadata and disks", () => {
  expect(metadataNeedsToken({})).toContain("httpTokens");
  expect(metadataNeedsToken({ metadataOptions: { httpTokens: "optional" } })).toContain("httpTokens");
  expect(metadataNeedsToken({ metadataOptions: { httpTokens: "required" } })).toBeUndefined();
  expect(metadataNeedsToken({ metadataOptions: { httpEndpoint: "disabled" } })).toBeUndefined();
  expect(diskIsEncrypted({})).toContain("not encrypted");
  expect(diskIsEncrypted({ rootBlockDevice: { encrypted: true } })).toBeUndefined();
});
