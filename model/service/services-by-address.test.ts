import fc from "fast-check";
import { expect, test } from "vitest";
import { type EndpointSlice, endpointSlice, serviceNameLabel } from "../objects/discovery.ts";
import { finish } from "../steps.ts";
import { ServicesByAddress } from "./services-by-address.ts";
import { serviceOf } from "./slice-groups.ts";
import { addressesIn } from "./weights.ts";

const address = fc.integer({ min: 1, max: 6 }).map((at) => (at % 2 ? `10.244.0.${at}` : `fd00::${at}`));

const slice = fc
  .record({
    service: fc.constantFrom("web", "db", "shop", undefined),
    proxy: fc.constantFrom(undefined, "another"),
    addresses: fc.array(address, { maxLength: 5 }),
  })
  .map(({ service, proxy, addresses }) =>
    endpointSlice.parse({
      metadata: {
        name: "some",
        namespace: "default",
        labels: {
          ...(service && { [serviceNameLabel]: service }),
          ...(proxy && { "service.kubernetes.io/service-proxy-name": proxy }),
        },
      },
      addressType: "IPv4",
      endpoints: addresses.map((one) => ({ addresses: [one] })),
    }),
  );

/** Slices that stay are the same objects, in any order. */
const change = fc.record({
  kept: fc.array(fc.nat(20), { maxLength: 12 }),
  added: fc.array(slice, { maxLength: 4 }),
  asked: fc.array(address, { maxLength: 3 }),
});

function scanned(slices: readonly EndpointSlice[], asked: ReadonlySet<string>): ReadonlySet<string> {
  const concerned = slices.filter((one) => addressesIn(one).some((at) => asked.has(at)));
  return new Set(concerned.flatMap((one) => serviceOf(one) ?? []));
}

test("the index finds what a look through all slices finds, however they have changed", () => {
  let found = 0;
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 12 }), (changes) => {
      const index = new ServicesByAddress();
      let slices: readonly EndpointSlice[] = [];
      for (const { kept, added, asked } of changes) {
        const staying = new Set(kept.flatMap((at) => slices[at] ?? []));
        slices = [...staying, ...added];
        const addresses = new Set(asked);
        const expected = scanned(slices, addresses);
        expect(finish(index.withOneOf(addresses, slices))).toEqual(expected);
        found += expected.size;
      }
    }),
  );
  expect(found).toBeGreaterThan(100);
});
