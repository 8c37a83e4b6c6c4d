// A made-up result of the walk-through's verification in DSR mode.
import { fixtureOccasion } from "../verify/engine/world.fixture.ts";
import { summarise } from "../verify/verification/summary.ts";
import { fixtureEnvironment } from "./measured.fixture.ts";
import { type Row, resultSchema, type Seen, type VerificationResult } from "./results/verification.ts";

const to = "tcp://172.31.1.8:30604";
const nginx = "default/nginx-7c5ddbdf54-x2mpq";
const addresses = { client1: "172.31.1.55", client2: "172.31.1.162" };

function served(from: keyof typeof addresses, step: string): Row {
  const address = addresses[from];
  const words = `allowed from ${address}, reply direct`;
  const seen: Seen = {
    attempts: 1,
    verdict: "allowed",
    clientAddress: address,
    clientPort: 40001,
    targetAddress: "172.31.1.8",
    targetPort: 30604,
    entryNode: "master",
    server: nginx,
    serverNode: "node",
    serverAddress: "10.244.1.5",
    source: address,
    sourceOwner: `machine ${from}`,
    witness: "log",
    reply: "direct",
    replyPackets: 0,
  };
  const line = `${address} - - [21/Nov/2026:14:05:31 +0000] "GET / HTTP/1.1" 200 615 "-" "ebpf-dataplane-probe/fixture"`;
  return { from, to, expected: words, observed: words, pass: true, step, seen: [seen], evidence: [line] };
}

/** FIXTURE of `out/verification.json`. @param broken SNAT is on although it must not be */
export function fixtureVerification(broken = false): VerificationResult {
  const rows: Row[] = [
    served("client1", "without a policy"),
    served("client2", "without a policy"),
    served("client1", "with the policy"),
    { from: "client2", to, expected: "dropped", observed: "dropped", pass: true, step: "with the policy" },
    {
      from: "pod/default/app=nginx",
      to: "udp://service/kube-system/kube-dns:53",
      expected: "allowed",
      observed: "allowed",
      pass: true,
      step: "with the policy",
    },
  ];
  if (broken) {
    const first = served("client1", "without a policy");
    rows[0] = {
      ...first,
      observed: "allowed from 172.31.1.8, reply through the entry node",
      pass: false,
      evidence: ["the server saw 172.31.1.8, which is node master, not client1: SNAT on the entry node"],
      next: ["kubectl get felixconfiguration default -o yaml"],
    };
  }
  return resultSchema.parse(
    summarise({ verified: fixtureOccasion, rows, problems: [], environment: fixtureEnvironment("make up") }),
  );
}
