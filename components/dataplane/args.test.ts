import { expect, expectTypeOf, test } from "vitest";
import * as model from "../../model/mode/mode.ts";
import { ComparisonMode } from "../source-ip-verification/args.ts";
import { ReturnMode, ServiceHandling, SocketTranslation } from "./args.ts";
import { Xdp } from "./uplinks.ts";

// The schema of the package needs enums of its own. The type check fails while their words and the model's differ.
test("enums have the words of the model", () => {
  expectTypeOf<`${ReturnMode}`>().toEqualTypeOf<model.ReturnMode>();
  expectTypeOf<`${ServiceHandling}`>().toEqualTypeOf<model.ServiceHandling>();
  expectTypeOf<`${SocketTranslation}`>().toEqualTypeOf<model.SocketTranslation>();
  expectTypeOf<`${Xdp}`>().toEqualTypeOf<model.XdpMode>();
  expectTypeOf<`${ComparisonMode}`>().toEqualTypeOf<model.MeasuredMode>();
  expectTypeOf<(typeof model.scaledModes)[number]>().toEqualTypeOf<model.ServiceHandling>();
  expect(Object.values(ReturnMode)).toEqual(model.returnModeWords);
  expect(Object.values(ServiceHandling)).toEqual(model.serviceHandlings);
  expect(Object.values(SocketTranslation)).toEqual(model.socketTranslations);
  expect(Object.values(Xdp)).toEqual(model.xdpModes);
  expect(Object.values(ComparisonMode)).toEqual(model.measuredModes);
});
