// A bill of materials in CycloneDX 1.5 (https://cyclonedx.org/docs/1.5/json/). The same content gives the same bytes: no time, and
// a serial number derived from the content, so that an image's digest changes exactly when the image does.
import { createHash } from "node:crypto";

/** A program or library in the shipped artifact. */
export interface Component {
  type: "application" | "library";
  name: string;
  version: string;
  /** Package URL, a unique name: pkg:TYPE/NAME@VERSION. */
  purl: string;
  /** As stated by its package: an SPDX expression, or the file with its text. */
  license?: string;
  /** Subresource integrity (sha512-BASE64) of the archive that contained it. */
  integrity?: string;
  /** Additional properties that help to find it. */
  more?: Record<string, string>;
}

/** @param subject the artifact that contains the components */
export function billOfMaterials(subject: Omit<Component, "license">, components: readonly Component[]): string {
  const byName = new Map(components.map((component) => [component.purl, component]));
  const sorted = [...byName.values()].sort((one, other) => (one.purl < other.purl ? -1 : 1));
  const body = {
    metadata: { component: entry(subject) },
    components: sorted.map(entry),
    dependencies: [{ ref: subject.purl, dependsOn: sorted.map(({ purl }) => purl) }],
  };
  const document = { bomFormat: "CycloneDX", specVersion: "1.5", serialNumber: serialOf(body), version: 1, ...body };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function entry({ type, name, version, purl, license, integrity, more = {} }: Component): object {
  const properties = Object.entries(more).map(([key, value]) => ({ name: `ebpf-dataplane:${key}`, value }));
  return {
    type,
    "bom-ref": purl,
    name,
    version,
    purl,
    ...(license && { licenses: [licenseOf(license)] }),
    ...(integrity && { hashes: [hashOf(integrity)] }),
    ...(properties.length > 0 && { properties }),
  };
}

// An expression consists of identifiers; anything else (SEE LICENSE IN …, a path) is a name.
const EXPRESSION = /^\(?[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)*\)?$/;
const licenseOf = (license: string) =>
  EXPRESSION.test(license) ? { expression: license } : { license: { name: license } };

function hashOf(integrity: string): object {
  return { alg: "SHA-512", content: Buffer.from(integrity.replace(/^sha512-/, ""), "base64").toString("hex") };
}

/** RFC 9562, version 8: custom bits. */
function serialOf(body: object): string {
  const hash = createHash("sha256").update(JSON.stringify(body)).digest("hex");
  const variant = ((Number.parseInt(hash.slice(16, 17), 16) & 3) | 8).toString(16);
  const parts = [hash.slice(0, 8), hash.slice(8, 12), `8${hash.slice(13, 16)}`, `${variant}${hash.slice(17, 20)}`];
  return `urn:uuid:${[...parts, hash.slice(20, 32)].join("-")}`;
}
