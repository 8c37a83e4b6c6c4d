// The C functions that the agent calls, and nothing else. koffi is imported in this folder only.
// libbpf >= 1.0 returns negative errno values, or NULL with errno set.
import { getSystemErrorMap } from "node:util";
import koffi, { type LibraryHandle } from "koffi";

/** A C pointer that is only passed back to C. */
export type Pointer = unknown;

type Bytes = Uint8Array | null;

export interface Libbpf {
  objectOpen(path: string, options: Uint8Array): Pointer;
  objectLoad(object: Pointer): number;
  objectClose(object: Pointer): void;
  findMap(object: Pointer, name: string): Pointer;
  /** Before the object is loaded. */
  setMaxEntries(map: Pointer, count: number): number;
  findProgram(object: Pointer, name: string): Pointer;
  programFd(program: Pointer): number;
  getPinned(path: string): number;
  pin(fd: number, path: string): number;
  objectInfo(fd: number, info: Uint8Array, length: Uint32Array): number;
  programById(id: number): number;
  btfById(id: number): number;
  programRun(fd: number, options: Uint8Array): number;
  linkCreate(programFd: number, target: number, attachType: number, options: Bytes): number;
  /** A file descriptor that reads what the program of this link writes. */
  iteratorCreate(linkFd: number): number;
  programLoad(
    type: number,
    name: string,
    license: string,
    instructions: Uint8Array,
    count: number,
    options: Bytes,
  ): number;
  programAttach(programFd: number, target: number, type: number, flags: number): number;
  programDetach(programFd: number, target: number, type: number): number;
  programQuery(
    target: number,
    type: number,
    flags: number,
    attachFlags: Uint32Array,
    ids: Uint32Array,
    count: Uint32Array,
  ): number;
  linkUpdate(linkFd: number, programFd: number, options: Bytes): number;
  linkDetach(linkFd: number): number;
  tcHookCreate(hook: Uint8Array): number;
  tcAttach(hook: Uint8Array, options: Uint8Array): number;
  tcDetach(hook: Uint8Array, options: Uint8Array): number;
  tcQuery(hook: Uint8Array, options: Uint8Array): number;
  lookup(fd: number, key: Uint8Array, value: Uint8Array): number;
  update(fd: number, key: Uint8Array, value: Uint8Array, flags: bigint): number;
  delete(fd: number, key: Uint8Array): number;
  nextKey(fd: number, key: Bytes, next: Uint8Array): number;
  lookupBatch(
    fd: number,
    from: Bytes,
    next: Uint8Array,
    keys: Uint8Array,
    values: Uint8Array,
    count: Uint32Array,
    options: Bytes,
  ): number;
  updateBatch(fd: number, keys: Uint8Array, values: Uint8Array, count: Uint32Array, options: Bytes): number;
  deleteBatch(fd: number, keys: Uint8Array, count: Uint32Array, options: Bytes): number;
  possibleCpus(): number;
  /** The address of a buffer, for a structure that points to it. Keep the buffer referenced while C may read it. */
  addressOf(buffer: ArrayBufferView): bigint;
  /** Opens a ring buffer for reading. `sample` is called by ringConsume, with a copy of each entry; NULL on failure. */
  ringOpen(fd: number, sample: (entry: Uint8Array) => void): Pointer;
  /** Passes the entries now in the ring to `sample`. Returns their number, or a negative errno. */
  ringConsume(ring: Pointer): number;
  ringFree(ring: Pointer): void;
  flock(fd: number, operation: number): number;
  setns(fd: number, type: number): number;
  socket(family: number, type: number, protocol: number): number;
  send(fd: number, bytes: Uint8Array, length: number, flags: number): number;
  recv(fd: number, bytes: Uint8Array, length: number, flags: number): number;
  getsockopt(fd: number, level: number, name: number, value: Uint8Array, length: Uint32Array): number;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array, length: number): number;
  /** 0: this thread's network namespace has no such interface. */
  interfaceIndex(name: string): number;
  /** Writes 16 bytes, with a zero after the name; NULL: there is no such interface. */
  interfaceName(index: number, name: Uint8Array): Pointer;
  /** Calls `print` with each libbpf message of level warning or worse; replaces the previous receiver. */
  onMessage(print: (text: string) => void): void;
}

let loaded: Libbpf | undefined;

/** Loads the library at its first use, so that tests and `--help` run without it. */
export function libbpf(): Libbpf {
  if (!loaded) {
    loaded = bind();
    loaded.onMessage(() => undefined); // libbpf would print to standard error what our own errors report
  }
  return loaded;
}

function bind(): Libbpf {
  const bpf = open("libbpf.so.1", "install libbpf1 (Debian, Ubuntu) or libbpf (Fedora)");
  const libc = open("libc.so.6", "the agent needs a glibc system");
  return {
    objectOpen: bpf.func("void *bpf_object__open_file(const char *path, const uint8_t *opts)"),
    objectLoad: bpf.func("int bpf_object__load(void *obj)"),
    objectClose: bpf.func("void bpf_object__close(void *obj)"),
    findMap: bpf.func("void *bpf_object__find_map_by_name(void *obj, const char *name)"),
    setMaxEntries: bpf.func("int bpf_map__set_max_entries(void *map, uint32_t max_entries)"),
    findProgram: bpf.func("void *bpf_object__find_program_by_name(void *obj, const char *name)"),
    programFd: bpf.func("int bpf_program__fd(void *prog)"),
    getPinned: bpf.func("int bpf_obj_get(const char *path)"),
    pin: bpf.func("int bpf_obj_pin(int fd, const char *path)"),
    objectInfo: bpf.func("int bpf_obj_get_info_by_fd(int fd, uint8_t *info, uint32_t *length)"),
    programById: bpf.func("int bpf_prog_get_fd_by_id(uint32_t id)"),
    btfById: bpf.func("int bpf_btf_get_fd_by_id(uint32_t id)"),
    programRun: bpf.func("int bpf_prog_test_run_opts(int fd, uint8_t *options)"),
    linkCreate: bpf.func("int bpf_link_create(int prog_fd, int target, int type, const uint8_t *opts)"),
    iteratorCreate: bpf.func("int bpf_iter_create(int link_fd)"),
    programLoad: bpf.func(
      "int bpf_prog_load(int type, const char *name, const char *license, const uint8_t *insns, size_t count, uint8_t *opts)",
    ),
    programAttach: bpf.func("int bpf_prog_attach(int prog_fd, int target, int type, unsigned int flags)"),
    programDetach: bpf.func("int bpf_prog_detach2(int prog_fd, int target, int type)"),
    programQuery: bpf.func(
      "int bpf_prog_query(int target, int type, uint32_t flags, uint32_t *attach_flags, uint32_t *ids, uint32_t *count)",
    ),
    linkUpdate: bpf.func("int bpf_link_update(int link_fd, int prog_fd, const uint8_t *opts)"),
    linkDetach: bpf.func("int bpf_link_detach(int link_fd)"),
    tcHookCreate: bpf.func("int bpf_tc_hook_create(uint8_t *hook)"),
    tcAttach: bpf.func("int bpf_tc_attach(const uint8_t *hook, uint8_t *opts)"),
    tcDetach: bpf.func("int bpf_tc_detach(const uint8_t *hook, const uint8_t *opts)"),
    tcQuery: bpf.func("int bpf_tc_query(const uint8_t *hook, uint8_t *opts)"),
    lookup: bpf.func("int bpf_map_lookup_elem(int fd, const uint8_t *key, uint8_t *value)"),
    update: bpf.func("int bpf_map_update_elem(int fd, const uint8_t *key, const uint8_t *value, uint64_t flags)"),
    delete: bpf.func("int bpf_map_delete_elem(int fd, const uint8_t *key)"),
    nextKey: bpf.func("int bpf_map_get_next_key(int fd, const uint8_t *key, uint8_t *next)"),
    lookupBatch: bpf.func(
      "int bpf_map_lookup_batch(int fd, uint8_t *from, uint8_t *next, uint8_t *keys, uint8_t *values, uint32_t *count, const uint8_t *opts)",
    ),
    updateBatch: bpf.func(
      "int bpf_map_update_batch(int fd, const uint8_t *keys, const uint8_t *values, uint32_t *count, const uint8_t *opts)",
    ),
    deleteBatch: bpf.func(
      "int bpf_map_delete_batch(int fd, const uint8_t *keys, uint32_t *count, const uint8_t *opts)",
    ),
    addressOf: (buffer) => koffi.address(buffer),
    ringOpen: ringOpener(bpf),
    ringConsume: bpf.func("int ring_buffer__consume(void *ring)"),
    ringFree: bpf.func("void ring_buffer__free(void *ring)"),
    possibleCpus: bpf.func("int libbpf_num_possible_cpus()"),
    flock: libc.func("int flock(int fd, int operation)"),
    setns: libc.func("int setns(int fd, int type)"),
    socket: libc.func("int socket(int family, int type, int protocol)"),
    send: libc.func("long send(int fd, const uint8_t *bytes, size_t length, int flags)"),
    recv: libc.func("long recv(int fd, uint8_t *bytes, size_t length, int flags)"),
    getsockopt: libc.func("int getsockopt(int fd, int level, int name, uint8_t *value, uint32_t *length)"),
    setsockopt: libc.func("int setsockopt(int fd, int level, int name, const uint8_t *value, uint32_t length)"),
    interfaceIndex: libc.func("unsigned int if_nametoindex(const char *name)"),
    interfaceName: libc.func("void *if_indextoname(unsigned int index, uint8_t *name)"),
    onMessage: messageReceiver(bpf, libc),
  };
}

function open(library: string, nextStep: string): LibraryHandle {
  try {
    return koffi.load(library);
  } catch (error) {
    throw new Error(`Cannot load ${library}: ${error instanceof Error ? error.message : error}. Next: ${nextStep}.`);
  }
}

// libbpf prints through a callback with a va_list. As an argument, x86-64 and arm64 both pass it as a
// pointer, which is passed on to vasprintf unchanged.
function messageReceiver(bpf: LibraryHandle, libc: LibraryHandle): Libbpf["onMessage"] {
  const format = libc.func("int vasprintf(_Out_ void **text, void *format, void *arguments)");
  const free = libc.func("void free(void *memory)");
  const print = koffi.proto("int libbpf_print(int level, void *format, void *arguments)");
  const setPrint = bpf.func("void *libbpf_set_print(libbpf_print *print)");
  const WARN = 0;
  let registered: bigint | undefined;
  return (receive) => {
    const callback = koffi.register((level: number, text: Pointer, values: Pointer) => {
      if (level !== WARN) return 0;
      const result: [Pointer] = [null];
      const length = format(result, text, values);
      if (length < 0) return 0;
      receive(koffi.decode(result[0], "char", length) as string);
      free(result[0]);
      return length;
    }, koffi.pointer(print));
    setPrint(callback);
    if (registered !== undefined) koffi.unregister(registered);
    registered = callback;
  };
}

// A process opens one ring once, so its callback is never unregistered.
function ringOpener(bpf: LibraryHandle): Libbpf["ringOpen"] {
  const take = koffi.proto("int ring_sample(void *context, void *data, size_t size)");
  const open = bpf.func("void *ring_buffer__new(int fd, ring_sample *sample, void *context, const uint8_t *opts)");
  return (fd, sample) => {
    const callback = koffi.register((_context: Pointer, data: Pointer, size: number) => {
      sample(Uint8Array.from(koffi.decode(data, koffi.array("uint8_t", Number(size), "Typed")) as Uint8Array));
      return 0;
    }, koffi.pointer(take));
    return open(fd, callback, null, null);
  };
}

/** errno of the last call that returned NULL. */
export function lastError(): number {
  return koffi.errno();
}

/** A negative return value in words: "-28" is "ENOSPC: no space left on device". */
export function describeError(returned: number): string {
  const [name, text] = getSystemErrorMap().get(-Math.abs(returned)) ?? [`error ${Math.abs(returned)}`, "see errno(3)"];
  return `${name}: ${text}`;
}

// errno values that decide what happens next (asm-generic/errno.h; the last one is the kernel's own).
export const ENOENT = 2;
export const E2BIG = 7;
export const EEXIST = 17;
export const ENODEV = 19;
export const EINVAL = 22;
export const ENOSPC = 28;
export const EOPNOTSUPP = 95;
export const ENOTSUPP = 524;
