// What a cluster that encrypts does not send, nor take: packets for a node without a key, and packets of a node that does not encrypt.
import { program } from "../datapath/cluster/bare-cluster.ts";
import { clients, type KubernetesObject, type NodeName, pool } from "../datapath/cluster/objects.ts";
import { inPod } from "../datapath/traffic/holding.ts";
import { AT_MASTER, configuration, type EncryptedLab, MARKER, tellProbe, untilPodsSpeak } from "./encrypted-lab.ts";
import { tell } from "./told.ts";

const DATAGRAM = `require("node:dgram").createSocket("udp4").send("${MARKER}", 80, process.argv[1], () => process.exit())`;

/** Nothing is sent to a node whose key nobody knows, nothing of it is taken, and its peers say so. */
export async function testNodeWithoutKey(lab: EncryptedLab): Promise<void> {
  const { cluster, keys, wire, web, shop } = lab;
  keys.withdraw("node");
  await cluster.carriedOut();
  wire.begin();
  await tellProbe(lab, "to a node without a key", ["default/shop", `${web.address}:80`], "dropped");
  await tellProbe(lab, "from a node without a key", ["default/web", `${shop.address}:80`], "dropped");
  await tellProbe(lab, "a client's, for a pod of a node without a key", ["client1", AT_MASTER.web], "dropped");
  tell("connections", "frames that can be read then", `${wire.between().readable}`, "0");
  const status = await cluster.run("master", [process.execPath, program, "inspect", "status"]);
  const said = /sends nothing to \w+, which has no key/.exec(status)?.[0] ?? status;
  tell("connections", "what status says of it", said, "sends nothing to node, which has no key");
  await keys.publish("node");
  await untilPodsSpeak(lab);
}

/** A node that does not encrypt, as one with an older agent: what it sends is not taken, wrapped or not, and nothing that it can read is sent to it. */
export async function testNodeWithoutEncryption(lab: EncryptedLab): Promise<void> {
  const { cluster, wire, web, shop } = lab;
  const refused = async () => (await cluster.outcomes("master")).drop_not_encrypted ?? 0;
  await onlyTo(lab, "node", configuration("DSR", false));
  for (const [vxlanMode, how] of [
    ["Never", "not wrapped"],
    ["Always", "wrapped"],
  ] as const) {
    await onlyTo(lab, "node", pool(vxlanMode));
    await cluster.carriedOut();
    wire.begin();
    const before = await refused();
    await tellProbe(lab, `from a node that does not encrypt, ${how}`, ["default/web", `${shop.address}:80`], "dropped");
    await tellProbe(lab, `to a node that does not encrypt, ${how}`, ["default/shop", `${web.address}:80`], "dropped");
    tell("connections", `frames to it that can be read, ${how}`, `${wire.from("master").readable}`, "0");
    // What shows that the capture would have seen it.
    await cluster.run("node", inPod(web, [process.execPath, "-e", DATAGRAM, shop.address]));
    const own = wire.from("node").readable > 0 ? "some" : "none";
    tell("connections", `frames of it that can be read, ${how}`, own, "some");
    const counted = (await refused()) > before;
    if (vxlanMode === "Always") tell("connections", "counted as not encrypted", `${counted}`, "true");
  }
  cluster.apply(configuration("DSR"), pool("CrossSubnet"));
  await untilPodsSpeak(lab);
  const allowed = `allowed default/web saw ${clients.client1}`;
  await tellProbe(lab, "once it encrypts again", ["client1", AT_MASTER.web], allowed);
}

/** In place of the object that the other node has. */
async function onlyTo({ cluster }: EncryptedLab, name: NodeName, object: KubernetesObject): Promise<void> {
  const file = `/tmp/objects/calico-${object.kind.toLowerCase()}-cluster-${object.metadata.name}.json`;
  await cluster.run(name, ["sh", "-c", `cat > ${file}.new && mv ${file}.new ${file}`], JSON.stringify(object));
}
