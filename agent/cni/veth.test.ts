import { afterEach, expect, test, vi } from "vitest";
import { interfaceIndex } from "../kernel/interface-names.ts";
import { changeNetworkNow } from "../kernel/rtnetlink.ts";
import { deleteVeth } from "./veth.ts";

vi.mock(import("../kernel/interface-names.ts"), async (original) => ({
  ...(await original()),
  interfaceIndex: vi.fn(),
}));
vi.mock(import("../kernel/rtnetlink.ts"), async (original) => ({ ...(await original()), changeNetworkNow: vi.fn() }));

afterEach(() => vi.resetAllMocks());

const refuses = (why: string) =>
  vi.mocked(changeNetworkNow).mockImplementation(() => {
    throw new Error(`Cannot delete the interface ebpf1: ${why}.`);
  });

test("deleteVeth() is done where the interface goes with its namespace meanwhile", () => {
  refuses("ENODEV: no such device");
  vi.mocked(interfaceIndex).mockReturnValueOnce(7).mockReturnValueOnce(undefined);
  deleteVeth("ebpf1");
  expect(changeNetworkNow).toHaveBeenCalledOnce();
});

test("deleteVeth() fails where the interface stays", () => {
  refuses("EPERM: not permitted");
  vi.mocked(interfaceIndex).mockReturnValue(7);
  expect(() => deleteVeth("ebpf1")).toThrow("EPERM");
});

test("deleteVeth() asks for nothing where there is none", () => {
  deleteVeth("ebpf1");
  expect(changeNetworkNow).not.toHaveBeenCalled();
});
