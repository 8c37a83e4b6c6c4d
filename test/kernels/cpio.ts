// Writes the archive that Linux unpacks as its initial root file system: cpio in the "newc" format.
// https://docs.kernel.org/driver-api/early-userspace/buffer-format.html

export type Member = { mode: number; content: Uint8Array };

const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;

export const folder: Member = { mode: S_IFDIR | 0o755, content: new Uint8Array() };
export const file = (content: Uint8Array | string): Member => ({
  mode: S_IFREG | 0o755,
  content: Buffer.from(content),
});
export const link = (target: string): Member => ({ mode: S_IFLNK | 0o777, content: Buffer.from(target) });

/** @param members by path without a leading slash; folders that are missing are added */
export function cpio(members: Record<string, Member>): Buffer {
  const complete = new Map(Object.entries(members));
  for (const path of Object.keys(members)) {
    const parts = path.split("/").slice(0, -1);
    for (const index of parts.keys()) {
      const parent = parts.slice(0, index + 1).join("/");
      if (!complete.has(parent)) complete.set(parent, folder);
    }
  }
  // In sorted order a folder precedes its content.
  const paths = [...complete.keys()].sort();
  const records = paths.map((path, index) => record(path, complete.get(path) as Member, index + 1));
  return Buffer.concat([...records, record("TRAILER!!!", { mode: 0, content: new Uint8Array() }, 0)]);
}

function record(path: string, { mode, content }: Member, inode: number): Buffer {
  const name = Buffer.from(`${path}\0`);
  const fields = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, "0").toUpperCase()).join("")}`;
  return Buffer.concat([padded(Buffer.concat([Buffer.from(header), name])), padded(Buffer.from(content))]);
}

const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
