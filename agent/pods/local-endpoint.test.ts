import { expect, test, vi } from "vitest";
import type { Endpoint } from "../cni/endpoint-store.ts";
import type { namespaceCookie } from "../kernel/network-namespace.ts";
import { localEndpoint } from "./local-endpoint.ts";

const endpoint = (): Endpoint => ({
  ...{ containerId: "c1", ifname: "eth0", netns: "/run/netns/web", namespace: "default", pod: "web", uid: "u1" },
  ...{ address: "10.244.0.5", mac: "02:00:00:00:00:02", hostMac: "02:00:00:00:00:01" },
  ...{ hostInterface: "ebpf1", ifindex: 7 },
});

test("an endpoint is the very same object to the compiler, whatever other pods come and go", () => {
  const cookieOf = vi.fn<typeof namespaceCookie>().mockReturnValue("17");
  const [one, other] = [endpoint(), endpoint()];
  const made = localEndpoint(one, cookieOf);
  expect(made).toMatchObject({ pod: "web", address: "10.244.0.5", ifindex: 7, namespaceCookie: "17" });
  expect(localEndpoint(other, cookieOf)).not.toBe(made);
  expect(localEndpoint(one, cookieOf)).toBe(made);
  expect(cookieOf).toHaveBeenCalledTimes(2);
});

test("a namespace whose cookie is not known is asked again, and the endpoint is another one when it is", () => {
  const cookieOf = vi.fn<typeof namespaceCookie>();
  const one = endpoint();
  const made = localEndpoint(one, cookieOf);
  expect(made.namespaceCookie).toBeUndefined();
  expect(localEndpoint(one, cookieOf)).toBe(made);
  cookieOf.mockReturnValue("17");
  expect(localEndpoint(one, cookieOf)).toMatchObject({ pod: "web", namespaceCookie: "17" });
});
