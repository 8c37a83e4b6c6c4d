import { afterEach, expect, test, vi } from "vitest";
import type { Endpoint } from "./cni/endpoint-store.ts";
import { namespaceCookie } from "./kernel/network-namespace.ts";
import { localEndpoint } from "./local-endpoint.ts";

vi.mock(import("./kernel/network-namespace.ts"), async (original) => ({
  ...(await original()),
  namespaceCookie: vi.fn(),
}));
afterEach(() => vi.resetAllMocks());

const endpoint = (): Endpoint => ({
  ...{ containerId: "c1", ifname: "eth0", netns: "/run/netns/web", namespace: "default", pod: "web", uid: "u1" },
  ...{ address: "10.244.0.5", mac: "02:00:00:00:00:02", hostMac: "02:00:00:00:00:01" },
  ...{ hostInterface: "ebpf1", ifindex: 7 },
});

test("an endpoint is the very same object to the compiler, whatever other pods come and go", () => {
  vi.mocked(namespaceCookie).mockReturnValue("17");
  const [one, other] = [endpoint(), endpoint()];
  const made = localEndpoint(one);
  expect(made).toMatchObject({ pod: "web", address: "10.244.0.5", ifindex: 7, namespaceCookie: "17" });
  expect(localEndpoint(other)).not.toBe(made);
  expect(localEndpoint(one)).toBe(made);
  expect(namespaceCookie).toHaveBeenCalledTimes(2);
});

test("a namespace whose cookie is not known is asked again, and the endpoint is another one when it is", () => {
  const one = endpoint();
  const made = localEndpoint(one);
  expect(made.namespaceCookie).toBeUndefined();
  expect(localEndpoint(one)).toBe(made);
  vi.mocked(namespaceCookie).mockReturnValue("17");
  expect(localEndpoint(one)).toMatchObject({ pod: "web", namespaceCookie: "17" });
});
