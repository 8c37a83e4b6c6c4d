/** Unscoped npm name; the schema token of every component starts with it. */
const PACKAGE = "ebpf-dataplane";

/** Type token of an exported component class, the same whether it runs in-process or through the component plugin. */
export function componentType(className: string): string {
  return `${PACKAGE}:index:${className}`;
}
