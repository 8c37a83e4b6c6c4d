import type * as pulumi from "@pulumi/pulumi";

/** An object by its name: without a namespace where its kind has none. */
interface Named {
  name: string;
  namespace?: string;
}

/**
 * Names of the resources of a list of objects, below a component's name: no two objects have one. Namespaces and names both contain "-", and
 * only `a/b-c` and `a-b/c` differ by where the "/" is.
 */
export function resourceNames(
  component: string,
  objects: readonly Named[],
): { name: string; aliases: pulumi.Alias[] }[] {
  const names = objects.map((object) => `${component}-${partOf(object)}`);
  return objects.map(({ namespace = "", name }, index) => {
    const own = names[index] as string;
    // What such a resource was called before 0.1.0.
    const former = `${component}-${namespace}-${name}`;
    const isRenamed = own !== former && namespace !== "" && !names.includes(former);
    return { name: own, aliases: isRenamed ? [{ name: former }] : [] };
  });
}

/** Names of the form `a-b` are of a namespace without "-", so that where the first "-" is tells both parts. */
function partOf({ namespace, name }: Named): string {
  if (namespace === undefined) return name;
  return namespace.includes("-") ? `${namespace}/${name}` : `${namespace}-${name}`;
}
