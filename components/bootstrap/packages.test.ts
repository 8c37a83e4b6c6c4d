import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "packages-"));
afterAll(() => rmSync(folder, { recursive: true }));

const missing = spawnSync("gpg", ["--version"]).error && "SKIP: gpg is not installed";
const script = join(import.meta.dirname, "packages.sh");

/** Two keys that were made for this test, and sign nothing. */
const ONE = {
  fingerprint: "169FEFF09E146800296460DA9272FB49F1B77436",
  text: `-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawo5WxYJKwYBBAHaRw8BAQdAamNDXJLsJwdiOITUfWkfy+R6JGHn6Ly+tfCG
DpsNb9O0Fm9uZSA8b25lQGV4YW1wbGUudGVzdD6IkAQTFggAOBYhBBaf7/CeFGgA
KWRg2pJy+0nxt3Q2BQJrCjlbAhsDBQsJCAcCBhUKCQgLAgQWAgMBAh4BAheAAAoJ
EJJy+0nxt3Q2n0kA/3b35AaqCMhAjerpzGXnpWex352d2rY+WPn2SBR3B8tNAQDK
vuq+XDuv3g+UFraAfIAu7daQy8SrOxTOTS5mEjbWAw==
=ffm1
-----END PGP PUBLIC KEY BLOCK-----
`,
};
const TWO = `-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawo5WxYJKwYBBAHaRw8BAQdAqqxEpjNgmXvkTLs+0mGDjAUncP4VR98+ayhi
yOZcQhu0FnR3byA8dHdvQGV4YW1wbGUudGVzdD6IkAQTFggAOBYhBFk4U6lGK3lY
bMVSb+i0WXY5tHEFBQJrCjlbAhsDBQsJCAcCBhUKCQgLAgQWAgMBAh4BAheAAAoJ
EOi0WXY5tHEF6voA/irTn1W2t5/q2B+vN6WOrA6V/zkLutbACF+N3Fs6+qqaAQC2
sxLf0y+EnSIuOL2+MFOLx0d3senDw8n4judxOyCcDg==
=3nyQ
-----END PGP PUBLIC KEY BLOCK-----
`;

/** What becomes of a repository's key that is this text. */
function accepted(text: string): { status: number | null; said: string; stays: boolean } {
  const key = join(folder, "key.asc");
  writeFileSync(key, text);
  const words = [
    "-c",
    '. "$1"; source=https://packages.example/; require_key "$2" "$3"',
    "test",
    script,
    key,
    ONE.fingerprint,
  ];
  const { status, stderr } = spawnSync("bash", words, { encoding: "utf8" });
  return { status, said: stderr, stays: existsSync(key) };
}

test("packages are believed when the repository's key is the one that is known, and it alone", ({ skip }) => {
  if (missing) return skip(missing);
  expect(accepted(ONE.text)).toEqual({ status: 0, said: "", stays: true });
  for (const text of [TWO, ONE.text + TWO, "", "<html>not found</html>"]) {
    const { status, said, stays } = accepted(text);
    expect([status, stays]).toEqual([2, false]);
    expect(said).toContain(`not by ${ONE.fingerprint} alone: nothing is installed from there`);
  }
});

test("the key is checked before the repository is added to apt", () => {
  const text = readFileSync(script, "utf8");
  expect(text).toMatch(/kubernetes_key=[0-9A-F]{40}\n/);
  const install = /^install_packages\(\) \{\n[\s\S]*?^\}/m.exec(text)?.[0] ?? "";
  expect(install.indexOf('require_key "$key" "$kubernetes_key"')).toBeGreaterThan(install.indexOf("Release.key"));
  expect(install.indexOf("sources.list.d")).toBeGreaterThan(install.indexOf("require_key"));
});
