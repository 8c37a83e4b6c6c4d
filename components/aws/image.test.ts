import { expect, test } from "vitest";
import { argumentsOf, at } from "../refusal/refusal.ts";
import { requireImageName } from "./image.ts";

const place = at(argumentsOf("AwsCluster", "c"), "imageName");

test.each([
  "debian-12-amd64-20250316-2053",
  "debian-13-arm64-*",
  "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20250305",
  "acme-kubernetes-node-42",
])("%s is taken", (name) => {
  expect(requireImageName(place, name)).toBe(name);
});

test.each([
  ["debian-11-amd64-20240104-1616", "5.10 or older"],
  ["debian-bullseye-custom", "5.10 or older"],
  ["ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-arm64-server-20250305", "5.15 or older"],
  ["amzn2-ami-kernel-5.10-hvm-2.0.20240131.0-x86_64-gp2", "5.10 or older"],
  ["RHEL-9.4.0_HVM-20240605-x86_64-82-Hourly2-GP3", "5.14 or older"],
  ["al2023-ami-2023.6.20250303.0-kernel-6.1-x86_64", "uses apt"],
])("%s is refused: %s", (name, why) => {
  expect(() => requireImageName(place, name)).toThrow(why);
});
