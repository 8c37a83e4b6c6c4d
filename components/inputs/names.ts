import { type InputPlace, refuse } from "./refusal";

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
