// All checks of the packet path on one kernel, in the network and mount namespace of this process, with a bpffs at
// /sys/fs/bpf: the verifier's cost of each object, and every packet test. `inside OBJECTS PREAMBLE` prints a line of JSON for
// each (findings.ts reads them); with `objects-only` without the packet tests.
import { execFileSync } from "node:child_process";
import { closeSync, globSync, mkdirSync, mkdtempSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { namespaceCookie } from "../../agent/kernel/network-namespace.ts";
import { outlivedSockets } from "../../agent/kernel/socket-walk.ts";
import { connectedWithPeer } from "../../agent/kernel/stored-peer.fixture.ts";
import { verifierCosts } from "../../agent/kernel/verifier.fixture.ts";
import type { PacketTest, Step } from "../packets/cases/step.ts";
import { type Handling, handlingsOfBothFamilies, NodeUnderTest } from "../packets/node.ts";
import { cases, fits, leavesPolicies, walk } from "../packets/walk.ts";
import type { Finding } from "./findings.ts";

const [objects = "", preamble = "", only = ""] = process.argv.slice(2);
print({ kernel: release(), processor: process.arch });
// Objects are verified together: shared maps must agree in type and size.
const pins = "/sys/fs/bpf/verified";
mkdirSync(pins);
for (const path of globSync(join(objects, "*.bpf.o")).sort()) {
  const object = basename(path, ".bpf.o");
  try {
    print({ object, costs: verifierCosts(path, pins) });
  } catch (error) {
    print({ object, refused: error instanceof Error ? error.message : String(error) });
  }
}
execFileSync("rm", ["-r", pins]);
try {
  if (only !== "objects-only") for (const finding of packets()) print(finding);
} catch (error) {
  print({ packets: "preparation", failed: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}
print({ end: true });

function* packets(): Generator<Finding> {
  const scratch = mkdtempSync(join(tmpdir(), "packets-"));
  const node = new NodeUnderTest({ objects, preamble, bpffs: "/sys/fs/bpf", scratch });
  yield walkOverSockets(node);
  const withOwnObjects = new Set<string>();
  for (const handling of handlingsOfBothFamilies) {
    node.write(handling);
    for (const [title, tests] of Object.entries(cases))
      for (const item of tests.filter((one) => isAsked(one, handling))) {
        const family = handling.family ?? "IPv4";
        if (leavesPolicies(item)) {
          const asked = `${family}: ${title}: ${item.say}`;
          if (withOwnObjects.has(asked)) continue;
          withOwnObjects.add(asked);
        }
        node.forget();
        const { seen, expected } = walk(node, item, handling);
        if (leavesPolicies(item)) node.write(handling);
        if (item.steps.some(({ hosts }) => hosts)) node.writeHosts({});
        const good = JSON.stringify(seen) === JSON.stringify(expected);
        const name = `${family}, ${handling.encapsulation ?? "VXLAN"}, ${handling.returnMode}, services: ${handling.services}: ${title}: ${item.say}`;
        yield { packets: name, ...(!good && { failed: `${seen.join("\n")}\ninstead of\n${expected.join("\n")}` }) };
      }
  }
}

/** Whether the agent gets to know of a UDP socket whose service is gone. */
function walkOverSockets(node: NodeUnderTest): Finding {
  const name = "the walk over sockets";
  node.maps.namespaces.update([[{ cookie: BigInt(namespaceCookie() ?? 0) }, { ipv4: "10.244.9.9", ipv6: "::" }]]);
  const peer = { frontend: "10.96.99.99", frontendPort: 53, address: "127.0.0.1", port: 5353, backend: 1 };
  const socket = connectedWithPeer(node.pins, peer, peer);
  const told = [...outlivedSockets(node.programFd("outlived_sockets"), node.pins)].flat();
  closeSync(socket);
  const isRight = told.length === 1 && told[0]?.peer.frontend === peer.frontend && told[0].cookie !== 0n;
  return { packets: name, ...(!isRight && { failed: `told of ${told.length} sockets` }) };
}

/** An emulated processor takes many times as long, most of all to compile and write objects. In IPIP it gets the cases in which something is
 * wrapped, and cases with objects of their own once for each family; this kernel gets all in every handling (test/packets). */
function isAsked(item: PacketTest, handling: Handling): boolean {
  const isWrapped = ({ unwrapped, becomes }: Step) => unwrapped || /overlay|wrapped|ipip/i.test(String(becomes));
  return fits(item, handling) && !item.open && (handling.encapsulation !== "IPIP" || item.steps.some(isWrapped));
}

function print(finding: Finding): void {
  process.stdout.write(`${JSON.stringify(finding)}\n`);
}
