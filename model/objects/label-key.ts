const NAME = /^[A-Za-z0-9]([-\w.]*[A-Za-z0-9])?$/;
const PREFIX = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Whether an object's label may have this key: a name of at most 63 characters, with or without a DNS name and "/" before it. */
export function isLabelKey(key: string): boolean {
  const [name = "", prefix, more] = key.split("/").reverse();
  const prefixFits = prefix === undefined || (prefix.length <= 253 && PREFIX.test(prefix));
  return more === undefined && prefixFits && isLabelName(name);
}

/** What a label's key is but for its prefix, and what its value is if it is not empty. */
export function isLabelName(text: string): boolean {
  return text.length <= 63 && NAME.test(text);
}
