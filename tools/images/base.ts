// The base of every image: files in which programs look up users and names.
import { directory, merge, mergedUsr, type Tree, text } from "./tree.ts";

export const base: Tree = merge(mergedUsr, {
  "/tmp": directory(0o1777),
  "/run": directory(),
  "/etc/passwd": text(
    "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/bin/false\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
  ),
  "/etc/group": text("root:x:0:\nwww-data:x:33:\nnogroup:x:65534:\n"),
  "/etc/nsswitch.conf": text("passwd: files\ngroup: files\nhosts: files dns\n"),
});
