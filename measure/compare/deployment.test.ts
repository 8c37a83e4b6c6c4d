import { expect, test } from "vitest";
import { parseDestination } from "../../model/expectation/destination.ts";
import { FakeWorld } from "../../verify/engine/world.fixture.ts";
import { lookedUp } from "./deployment.ts";

const rest = { client: "client1", modes: ["EbpfDsr" as const], connections: 10, concurrency: 1 };
const found = (to: string) =>
  lookedUp(new FakeWorld().cluster, { ...rest, to: { text: to, value: parseDestination(to) } });

test("a target is a node's address or name, and a node port", () => {
  const nginx = { service: "default/nginx", entry: "master" };
  expect(found("tcp://172.31.1.8:30604")).toEqual(nginx);
  expect(found("tcp://node/master:30604")).toEqual(nginx);
});

test("a missing target is reported with its name", () => {
  expect(() => found("tcp://172.31.1.8:30605")).toThrow("no service has the node port 30605 of tcp://172.31.1.8:30605");
  expect(() => found("tcp://172.31.1.9:30604")).toThrow("no node has the address of tcp://172.31.1.9:30604");
});
