import * as pulumi from "@pulumi/pulumi";

/** The program of a stack: `ebpf-dataplane:program` of its configuration, or the one that has the stack's name. */
const program = new pulumi.Config("ebpf-dataplane").get("program") ?? pulumi.getStack();

export = programOf(program);

function programOf(name: string): unknown {
  switch (name) {
    case "local":
      return require("./stacks/local");
    case "aws":
      return require("./stacks/aws");
    case "eks":
      return require("./stacks/eks");
    case "existing":
      return require("./stacks/existing");
    default:
      throw new pulumi.RunError(
        `Stack "${pulumi.getStack()}": ebpf-dataplane:program is "${name}", but must be "local", "aws", "eks" or "existing". ` +
          "Set it with: pulumi config set ebpf-dataplane:program local",
      );
  }
}
