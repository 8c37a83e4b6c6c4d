import * as pulumi from "@pulumi/pulumi";
import { at, type InputPlace, refuse } from "../refusal/refusal.ts";
import { contains } from "../rules/addresses.ts";
import { oneOf } from "../values/choices.ts";
import type { TypedMachine } from "./inputs.ts";
import { refusedByAws } from "./refused-by-aws.ts";
import type { AwsSdk } from "./sdk-types.ts";
import type { AwsSubnet } from "./subnet.ts";

/** Zones that offer an instance type, by type. */
type Offerings = Map<string, string[]>;

/** Asks AWS whether it offers these machines. This is the first request to AWS, so missing or wrong credentials are reported here.
 * Resources that must wait for the answer depend on the result. */
export function offered(
  sdk: AwsSdk,
  place: InputPlace,
  { machines, subnets }: { machines: TypedMachine[]; subnets: AwsSubnet[] },
  opts: pulumi.InvokeOptions,
): pulumi.Output<pulumi.Resource[]> {
  const types = [...new Set(machines.map(({ instanceType }) => instanceType))].sort();
  const question = { locationType: "availability-zone", filters: [{ name: "instance-type", values: types }] };
  const answer = sdk.ec2
    .getInstanceTypeOfferings(question, opts)
    .catch((error: unknown) => refusedByAws(place, error))
    .then(({ instanceTypes, locations }) => {
      // In a preview without a provider there is no answer.
      if (!instanceTypes) return [];
      const zones: Offerings = new Map(types.map((type) => [type, []]));
      instanceTypes.forEach((type, index) => {
        zones.get(type)?.push(locations[index] ?? "");
      });
      requireOffered(place, zones, machines, subnets);
      return [];
    });
  return pulumi.output(answer);
}

/** Refuses types that no zone offers, or that the zone of their machine does not offer. */
export function requireOffered(
  place: InputPlace,
  zones: Offerings,
  machines: TypedMachine[],
  subnets: AwsSubnet[],
): void {
  const known = [...new Set([...zones.values()].flat())].sort();
  const region = known[0]?.replace(/[a-z]$/, "") ?? "this region";
  for (const { name, address, instanceType } of machines) {
    const field = at(at(place, `machines["${name}"]`), "instanceType");
    const where = [...(zones.get(instanceType) ?? [])].sort();
    if (where.length === 0) refuse(field, instanceType, `a type that AWS has in ${region}`);
    const index = subnets.findIndex(({ cidr }) => contains(cidr, address));
    const { zone, id } = subnets[index] ?? {};
    // If the zone comes from another resource, AWS checks it.
    if (typeof zone === "string" && !where.includes(zone)) {
      refuse(
        field,
        instanceType,
        `a type that AWS has in ${zone}, the zone of its subnet; zones that offer it: ${where.join(", ")}`,
      );
    }
    const mayBeMissed = zone === undefined && id === undefined && where.length < known.length;
    if (mayBeMissed) {
      const choice = at(at(at(place, "subnets"), index), "zone");
      refuse(choice, zone, `${oneOf(where)}: AWS has ${instanceType}, the type of "${name}", in no other zone`);
    }
  }
}
