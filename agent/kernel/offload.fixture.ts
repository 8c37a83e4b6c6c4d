// `node offload.fixture.ts tx-checksum|gro on|off DEVICE…`: what ethtool -K does (ioctl SIOCETHTOOL, linux/ethtool.h), which not every machine has.
import koffi from "koffi";

const [AF_INET, SOCK_DGRAM, SIOCETHTOOL] = [2, 2, 0x8946];
const COMMANDS: Readonly<Record<string, number>> = { "tx-checksum": 0x17, gro: 0x2c };
const IFNAMSIZ = 16;

const [what = "", state = "", ...devices] = process.argv.slice(2);
const command = COMMANDS[what];
if (command === undefined) throw new Error(`"${what}" is none of ${Object.keys(COMMANDS).join(", ")}.`);
const libc = koffi.load("libc.so.6");
const socket = libc.func("int socket(int family, int type, int protocol)")(AF_INET, SOCK_DGRAM, 0);
const ioctl = libc.func("int ioctl(int fd, unsigned long request, void *argument)");
for (const device of devices) {
  const value = new Uint8Array(Uint32Array.of(command, state === "on" ? 1 : 0).buffer); // struct ethtool_value
  const request = Buffer.alloc(40); // struct ifreq
  request.write(device, "latin1");
  request.writeBigUInt64LE(koffi.address(value), IFNAMSIZ);
  if (ioctl(socket, SIOCETHTOOL, request) < 0)
    throw new Error(`Cannot turn ${what} of ${device} ${state}: error ${koffi.errno()}.`);
}
