/** How the SDK marks a secret on the wire (`specialSigKey` and `specialSecretSig` of the Pulumi protocol). */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** The value with all secrets in clear; values that are unknown in a preview are absent. */
export function reveal(value: unknown): unknown {
  return convert(value, (secret) => reveal(secret));
}

/** The value for display: secrets are masked. */
export function mask(value: unknown): unknown {
  return convert(value, () => "[secret]");
}

function convert(value: unknown, ofSecret: (value: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => convert(item, ofSecret));
  if (typeof value !== "object" || value === null) return value;
  const fields = value as Record<string, unknown>;
  if (fields.__pulumiUnknown === true) return undefined;
  if (fields[SIGNATURE] === SECRET) return ofSecret(fields.value);
  return Object.fromEntries(Object.entries(fields).map(([key, item]) => [key, convert(item, ofSecret)]));
}
