import type * as Ec2 from "@pulumi/aws/ec2";
import type * as Eks from "@pulumi/aws/eks";
import type * as Iam from "@pulumi/aws/iam";
import type * as Ssm from "@pulumi/aws/ssm";
import type * as Vpc from "@pulumi/aws/vpc";
import { expect, expectTypeOf, test } from "vitest";
import { awsSdk } from "./sdk.ts";
import type { AwsSdk } from "./sdk-types.ts";

interface RealSdk {
  ec2: typeof Ec2;
  eks: typeof Eks;
  iam: typeof Iam;
  ssm: typeof Ssm;
  vpc: typeof Vpc;
}

/** The first word of a function, the second of a class: what comes after the resource's name. */
type Args<T> = T extends new (
  ...words: infer W
) => unknown
  ? NonNullable<W[1]>
  : T extends (...words: infer W) => unknown
    ? NonNullable<W[0]>
    : never;

/** TypeScript lets a function of fewer or other optional arguments pass, so arguments are compared by themselves. */
type Misfit<Ours, Theirs> =
  | Exclude<keyof Args<Ours>, keyof Args<Theirs>>
  | (Args<Ours> extends Args<Theirs> ? never : Args<Ours>);
type Misfits<Ours, Theirs> = { [Name in keyof Ours]: Misfit<Ours[Name], Theirs[Name & keyof Theirs]> }[keyof Ours];

// What components use of the SDK is what the SDK has: the compiler's to judge (`npm run types`), so it is no test.
expectTypeOf<RealSdk>().toExtend<AwsSdk>();
expectTypeOf<{ [Module in keyof AwsSdk]: Misfits<AwsSdk[Module], RealSdk[Module]> }[keyof AwsSdk]>().toBeNever();

test("the SDK loads", () => {
  const { ec2, eks, iam, ssm, vpc } = awsSdk();
  for (const part of [
    ec2.Instance,
    eks.Cluster,
    eks.NodeGroup,
    ec2.getAmiOutput,
    iam.Role,
    ssm.Parameter,
    vpc.SecurityGroupIngressRule,
  ]) {
    expect(part).toBeTypeOf("function");
  }
});
