import { expect, test, vi } from "vitest";
import type { interfaceIndex } from "../kernel/interface-names.ts";
import type { changeNetwork } from "../kernel/rtnetlink.ts";
import { deleteVeth } from "./veth.ts";

const kernelWith = () => ({
  interfaceIndex: vi.fn<typeof interfaceIndex>(),
  changeNetwork: vi.fn<typeof changeNetwork>(),
});

test("deleteVeth() is done where the interface goes with its namespace meanwhile", async () => {
  const kernel = kernelWith();
  kernel.changeNetwork.mockRejectedValue(new Error("ENODEV: no such device"));
  kernel.interfaceIndex.mockReturnValueOnce(7).mockReturnValueOnce(undefined);
  await deleteVeth("ebpf1", kernel);
  expect(kernel.changeNetwork).toHaveBeenCalledOnce();
});

test("deleteVeth() fails where the interface stays, and the next one is tried", async () => {
  const kernel = kernelWith();
  kernel.changeNetwork.mockRejectedValueOnce(new Error("EPERM: not permitted")).mockResolvedValue();
  kernel.interfaceIndex.mockReturnValue(7);
  const [first, second] = [deleteVeth("ebpf1", kernel), deleteVeth("ebpf2", kernel)];
  await expect(first).rejects.toThrow("EPERM");
  await second;
  expect(kernel.changeNetwork).toHaveBeenCalledTimes(2);
});

test("deleteVeth() asks for nothing where there is none", async () => {
  const kernel = kernelWith();
  await deleteVeth("ebpf1", kernel);
  expect(kernel.changeNetwork).not.toHaveBeenCalled();
});
