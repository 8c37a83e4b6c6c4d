import { type InputPlace, requireRule } from "../refusal/refusal.ts";
import { clusterIdRule, labelRule, labNameRule, objectNameRule, portNameRule } from "../rules/names.ts";

/** Refuses anything but a DNS label (RFC 1123 section 2.1) of at most `longest` characters. */
export const requireLabel = (place: InputPlace, value: string, longest = 63): string =>
  requireRule(place, value, (label) => labelRule(label, longest));

/** Refuses anything but DNS labels joined by dots, as Kubernetes wants for most object names. */
export const requireObjectName = (place: InputPlace, value: string): string =>
  requireRule(place, value, objectNameRule);

/** Refuses what cannot name a port of a container. */
export const requirePortName = (place: InputPlace, value: string): string => requireRule(place, value, portNameRule);

/** Refuses what cannot be the name of a lab. */
export const requireLabName = (place: InputPlace, value: string): string => requireRule(place, value, labNameRule);

/** Refuses anything but a UID of Kubernetes. */
export const requireClusterId = (place: InputPlace, value: string): string => requireRule(place, value, clusterIdRule);
