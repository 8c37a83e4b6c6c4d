import { describe, expect, it } from "vitest";
import { candidates } from "./resolve.ts";

describe("names of a pod's resolver", () => {
  const dns = { servers: ["10.96.0.10"], search: ["shop.svc.cluster.local", "svc.cluster.local"], ndots: 5 };
  it("try the search domains first below ndots", () => {
    expect(candidates("web", dns)).toEqual(["web.shop.svc.cluster.local", "web.svc.cluster.local", "web"]);
  });
  it("leave a name with a final dot alone", () => expect(candidates("web.", dns)).toEqual(["web."]));
});
