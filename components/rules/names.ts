// What names may be. A rule says what a value must be instead, or nothing where it is right.

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** A DNS label (RFC 1123 section 2.1) of at most `longest` characters. */
export function labelRule(value: unknown, longest = 63): string | undefined {
  if (typeof value === "string" && value.length <= longest && LABEL.test(value)) return undefined;
  return `at most ${longest} lower case letters, digits and "-", beginning and ending with a letter or digit`;
}

/** DNS labels joined by dots, as Kubernetes wants for most object names. */
export function objectNameRule(value: unknown): string | undefined {
  const fits = typeof value === "string" && value.length <= 253 && value.split(".").every((part) => LABEL.test(part));
  return fits ? undefined : 'a Kubernetes object name: lower case letters, digits, "-" and "."';
}

/** The name of a container's port (RFC 6335 section 5.1); digits alone are a number in quotes. */
export function portNameRule(value: string): string | undefined {
  if (value.length <= 15 && LABEL.test(value) && !value.includes("--") && /[a-z]/.test(value)) return undefined;
  const meant = /^\d+$/.test(value) ? ` (did you mean ${Number(value)}, without quotes?)` : "";
  return `a whole number from 1 to 65535, or the name of a containers' port${meant}`;
}

/** The name of a lab. No "-": `LAB-MACHINE` then tells which lab a name belongs to, also beside labs of similar names. */
export function labNameRule(value: string): string | undefined {
  if (/^[a-z][a-z0-9]{0,11}$/.test(value)) return undefined;
  return "at most 12 lower case letters and digits, beginning with a letter";
}

/** The name of a machine of a lab: what a host name, a network namespace and a cgroup may all be called. */
export function labMachineNameRule(value: string): string | undefined {
  const fault = labelRule(value, 32);
  if (fault !== undefined) return fault;
  if (value !== "switch" && /^[a-z]/.test(value)) return undefined;
  return 'a name that begins with a letter and is not "switch", which is the lab\'s own';
}

/** The UID of a Kubernetes object; of a cluster it is that of its namespace kube-system. */
export function clusterIdRule(value: string): string | undefined {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)) return undefined;
  return "the UID of the cluster's namespace kube-system, like 9d305b25-6b0d-48dc-a557-92875c2c6cb6";
}

/** The name of an interface. Linux takes more, which is most likely a pattern or the "eth0@if2" that `ip link` shows. */
export function interfaceRule(value: string): string | undefined {
  if (/^[\w.-]{1,15}$/.test(value) && !["lo", ".", ".."].includes(value)) return undefined;
  return 'an interface\'s name of at most 15 letters, digits, ".", "_" and "-"; no pattern';
}

/** The name of a user who logs in; OpenSSH would take one that begins with "-" for an option. */
export function userRule(value: string): string | undefined {
  return /^[^-\s@][^\s@]*$/.test(value) ? undefined : "the name of a user";
}
