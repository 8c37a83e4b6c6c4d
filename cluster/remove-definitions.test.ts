import { afterEach, expect, test } from "vitest";
import { apiServerOf, kubeconfigOf } from "../kubernetes/kubeconfig.ts";
import { type Answer, fakeApiServer, type Received } from "../kubernetes/testing/fake-api-server.ts";
import { removeDefinitions } from "./remove-definitions.ts";

let close = () => {};
afterEach(() => close());

test.each([
  ["ebpf-dataplane", 0, ["ippools.projectcalico.org"], ""],
  ["ebpf-dataplane", 1, [], "stays: it has objects that the deployment did not create"],
  ["tigera-operator", 0, [], "stays: it belongs to tigera-operator"],
])(
  "a definition of %s with %i objects, when the nodes are cleaned: deleted are %j",
  async (manager, pools, gone, words) => {
    const metadata = { name: "ippools.projectcalico.org", managedFields: [{ manager, fieldsV1: { "f:spec": {} } }] };
    const answer = ({ method, url }: Received): Answer => {
      if (method === "DELETE") return [200, {}];
      if (url.startsWith("/apis/projectcalico.org/v3/ippools")) return [200, { items: Array(pools).fill({}) }];
      // The other definition is already deleted.
      return url.endsWith(metadata.name) ? [200, { metadata }] : [404, { message: "not found" }];
    };
    const { received, kubeconfig, close: stop } = await fakeApiServer(answer);
    close = stop;
    const said: string[] = [];
    await removeDefinitions(apiServerOf(kubeconfigOf(kubeconfig)), (line) => said.push(line));
    const deleted = received.filter(({ method }) => method === "DELETE").map(({ url }) => url.split("/").at(-1));
    expect(deleted).toEqual(gone);
    expect(said.join("\n")).toContain(words);
  },
);
