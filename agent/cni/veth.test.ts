import { afterEach, expect, test, vi } from "vitest";
import { interfaceIndex } from "../kernel/interface-names.ts";
import { changeNetwork } from "../kernel/rtnetlink.ts";
import { deleteVeth } from "./veth.ts";

vi.mock(import("../kernel/interface-names.ts"), async (original) => ({
  ...(await original()),
  interfaceIndex: vi.fn(),
}));
vi.mock(import("../kernel/rtnetlink.ts"), async (original) => ({ ...(await original()), changeNetwork: vi.fn() }));

afterEach(() => vi.resetAllMocks());

test("deleteVeth() is done where the interface goes with its namespace meanwhile", async () => {
  vi.mocked(changeNetwork).mockRejectedValue(new Error("ENODEV: no such device"));
  vi.mocked(interfaceIndex).mockReturnValueOnce(7).mockReturnValueOnce(undefined);
  await deleteVeth("ebpf1");
  expect(changeNetwork).toHaveBeenCalledOnce();
});

test("deleteVeth() fails where the interface stays, and the next one is tried", async () => {
  vi.mocked(changeNetwork).mockRejectedValueOnce(new Error("EPERM: not permitted")).mockResolvedValue();
  vi.mocked(interfaceIndex).mockReturnValue(7);
  const [first, second] = [deleteVeth("ebpf1"), deleteVeth("ebpf2")];
  await expect(first).rejects.toThrow("EPERM");
  await second;
  expect(changeNetwork).toHaveBeenCalledTimes(2);
});

test("deleteVeth() asks for nothing where there is none", async () => {
  await deleteVeth("ebpf1");
  expect(changeNetwork).not.toHaveBeenCalled();
});
