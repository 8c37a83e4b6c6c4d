import { expect, test } from "vitest";
import { inLoadOrder, moduleName, needsOf } from "./modules.ts";

const info = (...needs: string[]) => Buffer.from(`ELF\0license=GPL\0depends=${needs.join(",")}\0retpoline=Y\0`);
const files: Record<string, Buffer> = {
  "net/vxlan.ko": info("udp_tunnel", "ip6_udp_tunnel"),
  "net/udp_tunnel.ko": info(),
  "net/ip6-udp-tunnel.ko": info("udp_tunnel"),
  "net/veth.ko": info(),
};
const order = (...wanted: string[]) =>
  inLoadOrder(wanted, Object.keys(files), new Set(["bridge"]), (path) => files[path] ?? Buffer.alloc(0));

test("needsOf() reads what a module says that it needs", () => {
  expect(needsOf(info("udp_tunnel", "ip6_udp_tunnel"))).toEqual(["udp_tunnel", "ip6_udp_tunnel"]);
  expect(needsOf(info())).toEqual([]);
  expect(needsOf(Buffer.from("ELF"))).toEqual([]);
});

test("moduleName() has no hyphen, whatever the file has", () => {
  expect(moduleName("/lib/modules/6.1/kernel/lib/crypto/libcurve25519-generic.ko")).toBe("libcurve25519_generic");
  expect(moduleName("kernel/net/sched/cls_bpf.ko.xz")).toBe("cls_bpf");
});

test("inLoadOrder() has what a module needs before it, and each once", () => {
  expect(order("vxlan", "udp_tunnel", "veth")).toEqual([
    "net/udp_tunnel.ko",
    "net/ip6-udp-tunnel.ko",
    "net/vxlan.ko",
    "net/veth.ko",
  ]);
});

test("inLoadOrder() leaves out what the kernel has itself, and names what it has not", () => {
  expect(order("bridge", "veth")).toEqual(["net/veth.ko"]);
  expect(() => order("wireguard")).toThrow("the kernel has no module wireguard");
});
