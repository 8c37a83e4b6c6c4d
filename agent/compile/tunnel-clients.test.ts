import { expect, test } from "vitest";
import { felixConfiguration } from "../../model/objects/calico.ts";
import { TUNNEL_CLIENTS } from "../kernel/layout.gen.ts";
import { entriesOf } from "./desired.ts";
import { withTunnelClients } from "./tunnel-clients.ts";

const configuration = (...bpfDSROptoutCIDRs: string[]) =>
  felixConfiguration.parse({ metadata: { name: "default" }, spec: { bpfDSROptoutCIDRs } });
const written = (...networks: string[]) => entriesOf(withTunnelClients([], configuration(...networks)));

test.each<[string[], string[]]>([
  [
    ["10.1.2.3/8", "10.0.0.0/8", "2001:db8::/32"],
    ["136 10.0.0.0", "64 2001:db8::"],
  ],
  // IPv6 networks do not say anything of IPv4.
  [["::/0"], ["35 2000::", "128 64:ff9b::", "39 fc00::", "42 fe80::"]],
  [["0.0.0.0/0"], ["128 0.0.0.0"]],
  [[], []],
])("of %j the map has %j", (networks, keys) => {
  const entries = written(...networks);
  expect(entries.map(({ key }) => `${key.prefixLength} ${key.client}`)).toEqual(keys);
  expect(entries.every(({ key }) => key.set === TUNNEL_CLIENTS)).toBe(true);
});
