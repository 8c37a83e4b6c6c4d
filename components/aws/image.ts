import * as pulumi from "@pulumi/pulumi";
import { at, type InputPlace, refuse } from "../refusal/refusal.ts";
import { Architecture } from "./machine.ts";
import type { AwsSdk } from "./sdk-types.ts";

/** Account of the Debian project (https://wiki.debian.org/Cloud/AmazonEC2Image). */
const DEBIAN = "136693071363";

/** EC2's names of processor architectures. */
const PROCESSOR = { [Architecture.Amd64]: "x86_64", [Architecture.Arm64]: "arm64" };

/** Images whose kernel is older than 6.1, which the dataplane needs. They are found by name, because AWS does not report the kernel of
 * an image. */
const OLD_KERNELS: [RegExp, string][] = [
  [/debian-(9|10|11|stretch|buster|bullseye)\b/, "5.10 or older"],
  [/ubuntu.*(14\.04|16\.04|18\.04|20\.04|22\.04|trusty|xenial|bionic|focal|jammy)/, "5.15 or older"],
  [/amzn2-/, "5.10 or older"],
  [/(rhel|centos|rocky|almalinux)[-_ ]?(stream)?[-_ ]?[789]\b/i, "5.14 or older"],
];
/** Images that do not use apt, which the bootstrap needs. */
const NOT_DEBIAN = /^(al2023|amzn|rhel|centos|rocky|almalinux|suse|bottlerocket|flatcar|fedora|windows)/i;

/** The arguments that choose an image. */
export interface ImageChoice {
  architecture?: Architecture;
  imageName?: string;
  imageOwner?: string;
  imageId?: pulumi.Input<string>;
}

/** The pattern of image names to search for. */
export function imageNameOf({ imageName, architecture = Architecture.Amd64 }: ImageChoice): string {
  return imageName ?? `debian-13-${architecture}-*`;
}

/** Refuses images on which the dataplane or the bootstrap could not run, as far as their name shows it. */
export function requireImageName(place: InputPlace, name: string): string {
  const [, kernel] = OLD_KERNELS.find(([pattern]) => pattern.test(name)) ?? [];
  if (kernel)
    refuse(place, name, `an image with Linux 6.1 or later (this one's is ${kernel}), such as "debian-13-amd64-*"`);
  if (NOT_DEBIAN.test(name))
    refuse(place, name, 'a Debian or Ubuntu image, such as "debian-13-amd64-*": the bootstrap uses apt');
  return name;
}

/** Id of the machine image: the newest one that matches, or the given one. Either is checked, once AWS is known to answer. */
export function imageId(
  sdk: AwsSdk,
  place: InputPlace,
  args: ImageChoice,
  answers: pulumi.Output<unknown>,
  opts: pulumi.InvokeOptions,
): pulumi.Output<string> {
  const processor = PROCESSOR[args.architecture ?? Architecture.Amd64];
  if (args.imageId !== undefined) {
    return pulumi.all([args.imageId, answers]).apply(([id]) => {
      const filters = [{ name: "image-id", values: [id] }];
      const image = sdk.ec2.getAmiOutput({ includeDeprecated: true, filters }, opts);
      return image.apply(({ name, architecture }) =>
        requireImage(at(place, "imageId"), { id, name, architecture }, processor),
      );
    });
  }
  const filters = [
    { name: "name", values: [imageNameOf(args)] },
    { name: "architecture", values: [processor] },
    { name: "virtualization-type", values: ["hvm"] },
    { name: "root-device-type", values: ["ebs"] },
  ];
  const search = { owners: [args.imageOwner ?? DEBIAN], mostRecent: true, filters };
  return answers
    .apply(() => sdk.ec2.getAmiOutput(search, opts))
    .apply(({ id, name }) => {
      requireImageName(at(place, "imageName"), name ?? "");
      return id;
    });
}

/** Refuses an image that was chosen by its id, if AWS's description shows that it cannot be used. */
function requireImage(
  place: InputPlace,
  image: { id: string; name: string; architecture: string },
  processor: string,
): string {
  const { id, name, architecture } = image;
  if (architecture !== processor) {
    refuse(place, id, `an image for ${processor}, as architecture says ("${name}" is for ${architecture})`);
  }
  requireImageName(place, name);
  return id;
}
