import { expect, test, vi } from "vitest";
import type { removeKubeProxyRules } from "../network/kube-proxy-rules.ts";
import { KubeProxyLeftovers } from "./kube-proxy-leftovers.ts";

function leftovers() {
  const said: unknown[] = [];
  const log = { info: (text: unknown) => void said.push(text) };
  const parts = { log, options: { node: "master" }, cluster: { store: { list: () => [] } } };
  const remove = vi.fn<typeof removeKubeProxyRules>();
  return { said, remove, of: new KubeProxyLeftovers(parts as never, remove) };
}

test("rules are looked for once, and again when the machine is looked at or services become the dataplane's", async () => {
  const { said, remove, of } = leftovers();
  remove.mockResolvedValueOnce(true).mockResolvedValue(false);
  for (let pods = 0; pods < 3; pods++) await of.follow("remove-rules");
  expect(remove).toHaveBeenCalledTimes(1);
  expect(said).toEqual(["removed the rules that a kube-proxy left on this node"]);
  of.lookAgain();
  await of.follow("remove-rules");
  expect(remove).toHaveBeenCalledTimes(2);
  await of.follow("active");
  of.lookAgain();
  await of.follow("active");
  expect(remove).toHaveBeenCalledTimes(2);
  await of.follow("remove-rules");
  expect(remove).toHaveBeenCalledTimes(3);
  expect(said).toHaveLength(1);
});

test("a look again that comes while they are looked for counts", async () => {
  const { remove, of } = leftovers();
  remove.mockImplementationOnce(async () => {
    of.lookAgain();
    return false;
  });
  remove.mockResolvedValue(false);
  for (let times = 0; times < 3; times++) await of.follow("remove-rules");
  expect(remove).toHaveBeenCalledTimes(2);
});

test("where they could not be looked for, they are the next time", async () => {
  const { remove, of } = leftovers();
  remove.mockRejectedValueOnce(new Error("Cannot run nft")).mockResolvedValue(false);
  await expect(of.follow("remove-rules")).rejects.toThrow("Cannot run nft");
  await of.follow("remove-rules");
  expect(remove).toHaveBeenCalledTimes(2);
});
