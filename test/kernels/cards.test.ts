import { expect, test } from "vitest";
import { inCardsNetwork, optionsOf } from "./cards.ts";

const card = { name: "card0", at: "switch0", mac: "02:00:00:00:01:00", queues: 4, properties: ["guest_csum=off"] };

test("optionsOf() gives a card of several queues the vectors that they need", () => {
  expect(optionsOf(card)).toEqual([
    ...["-netdev", "tap,id=card0,ifname=card0,script=no,downscript=no,vhost=off,queues=4"],
    "-device",
    "virtio-net-pci,netdev=card0,mac=02:00:00:00:01:00,romfile=,mq=on,vectors=10,guest_csum=off",
  ]);
  expect(optionsOf({ ...card, queues: 1 }).join(" ")).not.toContain("mq=on");
});

test("inCardsNetwork() connects cards in a network namespace, and leaves a command without cards alone", () => {
  expect(inCardsNetwork([], ["qemu", "-m", "1"])).toEqual(["qemu", "-m", "1"]);
  const [unshare, net, shell, , script = "", ...command] = inCardsNetwork([card], ["qemu", "-m", "1"]);
  expect([unshare, net, shell, command]).toEqual(["unshare", "--net", "sh", ["qemu", "-m", "1"]]);
  expect(script.match(/^ip .*/gm)).toHaveLength(4);
  expect(script).toContain("ip tuntap add dev card0 mode tap multi_queue vnet_hdr");
});
