import { type InputPlace, refuse } from "../refusal/refusal.ts";

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** Refuses anything but a DNS label (RFC 1123 section 2.1) of at most `longest` characters. */
export function requireLabel(place: InputPlace, value: string, longest = 63): string {
  const fits = typeof value === "string" && value.length <= longest && LABEL.test(value);
  return fits
    ? value
    : refuse(
        place,
        value,
        `at most ${longest} lower case letters, digits and "-", beginning and ending with a letter or digit`,
      );
}

/** Refuses anything but DNS labels joined by dots, as Kubernetes wants for most object names. */
export function requireObjectName(place: InputPlace, value: string): string {
  const fits = typeof value === "string" && value.length <= 253 && value.split(".").every((part) => LABEL.test(part));
  return fits ? value : refuse(place, value, 'a Kubernetes object name: lower case letters, digits, "-" and "."');
}

/** Refuses what cannot name a port of a container (RFC 6335 section 5.1); digits alone are a number in quotes. */
export function requirePortName(place: InputPlace, value: string): string {
  const fits = value.length <= 15 && LABEL.test(value) && !value.includes("--") && /[a-z]/.test(value);
  if (fits) return value;
  const meant = /^\d+$/.test(value) ? ` (did you mean ${Number(value)}, without quotes?)` : "";
  return refuse(place, value, `a whole number from 1 to 65535, or the name of a containers' port${meant}`);
}
