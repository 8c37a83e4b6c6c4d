import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { kubeProxyListens } from "./kube-proxy-ports.ts";

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
