import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";

/** A port of 127.0.0.1 at which nobody listens, and nobody can until it is closed: a connection has it as its own. */
export async function refusingPort(): Promise<{ port: number; close: () => void }> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const holder = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [[held]] = await Promise.all([once(server, "connection"), once(holder, "connect")]);
  const { port } = holder.address() as AddressInfo;
  server.close();
  return {
    port,
    close: () => {
      holder.destroy();
      held.destroy();
    },
  };
}
