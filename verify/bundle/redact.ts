// Removes what must not be in an archive that people pass on. Objects are cleaned by their keys, and every text by patterns of secrets.

const LEFT_OUT = "(left out)";

const SECRET_KEY = /passw|passphrase|secret|token|credential|(private|api|access).?key/i;
/** Annotations of this project and of Calico; others may hold anything, also a whole earlier object. */
const OWN_ANNOTATION =
  /(^|\.)(ebpf-dataplane\.io|projectcalico\.org|endpoints\.kubernetes\.io|kubernetes\.io\/[\w-]*bandwidth)/;

/** An object without values that are secret, or may be. */
export function cleaned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== "managedFields")
      .map(([key, inner]) => [key, cleanedField(key, inner)]),
  );
}

function cleanedField(key: string, value: unknown): unknown {
  if (SECRET_KEY.test(key)) return LEFT_OUT;
  if (key === "annotations") return ownAnnotations(value);
  // Names only: values are settings, and often secrets.
  if (key === "env" && Array.isArray(value)) return value.map(({ name }) => ({ name }));
  return cleaned(value);
}

function ownAnnotations(value: unknown): unknown {
  const own = Object.entries((value ?? {}) as object).filter(([key]) => OWN_ANNOTATION.test(key));
  return cleaned(Object.fromEntries(own));
}

const SECRET_WORD = String.raw`(?:passw|passphrase|secret|token|credential|(?:private|api|access)[-_]?key)[\w-]{0,40}`;

/** Of a private key, such as "EC PRIVATE KEY". Looked for ahead, it is looked for once. */
const KEY_LABEL = "(?=[A-Z ]*PRIVATE KEY)[A-Z ]*";

// Users can write parts of these texts, as long as the API server accepts them: no pattern may take time that grows with the square of a
// text's length.
const PATTERNS: readonly [RegExp, string][] = [
  [new RegExp(String.raw`-----BEGIN ${KEY_LABEL}-----[\s\S]*?(?:-----END ${KEY_LABEL}-----|$)`, "g"), LEFT_OUT],
  // A token of a service account, or of OpenID Connect.
  [/\beyJ[\w-]{8,1000}\.[\w-]{8,}(?:\.[\w-]*)?/g, LEFT_OUT],
  [/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${LEFT_OUT}`],
  [
    /(\bauthorization\\*["']?\s*[:=]\s*\\*["']?)(?!(?:bearer|basic)\s|\(left out\))[^\s"'\\]+(?: [^\s"'\\]+)?/gi,
    `$1${LEFT_OUT}`,
  ],
  // In quotes, which a text within JSON has escaped: to the end of the quotes.
  [
    new RegExp(String.raw`(${SECRET_WORD}\\*["']?\s*[:=]\s*)(?<quote>\\*["'])(?:(?!(?<!\\)\k<quote>)[^\n])*`, "gi"),
    `$1$<quote>${LEFT_OUT}`,
  ],
  // Without quotes: to the next space, or an end of quotes around it all.
  [
    new RegExp(
      String.raw`(${SECRET_WORD}\\*["']?\s*[:=]\s*)(?![{[]|true\b|false\b|null\b|\(left out\))(?:\\(?!["'nrt])|[^\s"'\\])+?(?=[,;]?(?:\s|["']|\\["'nrt]|$))`,
      "gi",
    ),
    `$1${LEFT_OUT}`,
  ],
  [new RegExp(String.raw`(--[\w-]{0,40}?${SECRET_WORD}\s+)[^\s"'\\-][^\s"'\\]*`, "gi"), `$1${LEFT_OUT}`],
  // Of a URL: user and password.
  [/(:\/\/)[^\s/@"']+@/g, "$1"],
];

/** A text without what looks like a secret, and without those that are known. */
export function scrubbed(text: string, known: readonly string[]): string {
  const without = known
    .filter((secret) => secret.length >= 4)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)])
    .reduce((rest, secret) => rest.replaceAll(secret, LEFT_OUT), text);
  return PATTERNS.reduce((rest, [pattern, by]) => rest.replace(pattern, by), without);
}
