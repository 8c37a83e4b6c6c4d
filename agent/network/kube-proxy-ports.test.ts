import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { freePort } from "../../probe/free-port.fixture.ts";
import { answerProxy } from "../health-checks/answers.ts";
import { Listeners } from "../health-checks/listeners.ts";
import { kubeProxyListens, kubeProxyRuns } from "./kube-proxy-ports.ts";

const net = mkdtempSync(join(tmpdir(), "proc-net-"));
afterAll(() => rmSync(net, { recursive: true }));

const heading = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const line = (local: string, remote: string, state: string) =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 0\n`;
const tables = (tcp: string, tcp6 = "") => {
  writeFileSync(join(net, "tcp"), heading + tcp);
  writeFileSync(join(net, "tcp6"), heading + tcp6);
};

test("a kube-proxy on this node is detected by the ports on which it listens", () => {
  expect(kubeProxyListens(join(net, "none"))).toBe(false);
  // 10250 is kubelet's; a connection to 10256 of another node, and one from that port, are not listeners.
  tables(
    line("00000000:280A", "00000000:0000", "0A") +
      line("0100007F:C350", "0800A8C0:2810", "01") +
      line("0100007F:2810", "0100007F:C350", "06"),
  );
  expect(kubeProxyListens(net)).toBe(false);
  tables(line("0100007F:2809", "00000000:0000", "0A")); // metrics, 127.0.0.1:10249
  expect(kubeProxyListens(net)).toBe(true);
  tables("", line("00000000000000000000000000000000:2810", "00000000000000000000000000000000:0000", "0A")); // health, [::]:10256
  expect(kubeProxyListens(net)).toBe(true);
});

test("the agent's own answers at kube-proxy's port are not taken for a kube-proxy, neither by it nor by another process", async () => {
  const listeners = new Listeners();
  const state = { isHealthy: true, leaving: false, lastUpdated: new Date() };
  const open = async (answers: (url: string, response: Parameters<typeof answerProxy>[1]) => void) => {
    const port = await freePort();
    await listeners.open(port, ({ url }, response) => answers(url ?? "", response));
    return port;
  };
  const [agent, other] = [
    await open((url, response) => answerProxy(url, response, state)),
    await open((_, response) => response.writeHead(200).end("{}")),
  ];
  const asked = (port: number) => kubeProxyRuns(net, `http://127.0.0.1:${port}/healthz`);
  tables(line("00000000:2810", "00000000:0000", "0A"));
  expect(await asked(agent)).toBe(false);
  expect(await asked(other)).toBe(true);
  expect(await asked(1)).toBe(true); // it listens, and says nothing
  tables(line("00000000:2810", "00000000:0000", "0A") + line("0100007F:2809", "00000000:0000", "0A"));
  expect(await asked(agent)).toBe(true);

  const real = readFileSync("/proc/net/tcp6", "utf8").split("\n");
  const own = (port: number) => real.find((text) => text.includes(`:${port.toString(16).toUpperCase()} `)) ?? "";
  tables("", `${own(agent).replace(/:[0-9A-F]{4} /, ":2810 ")}\n`);
  expect(readFileSync(join(net, "tcp6"), "utf8")).toContain(":2810 ");
  expect(kubeProxyListens(net)).toBe(false);
  for (const port of listeners.ports) await listeners.close(port);
});
