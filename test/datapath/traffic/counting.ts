// Programs of node for machines: datagrams that are counted.

/** Answers datagrams. */
export const ECHO = `const socket = require("node:dgram").createSocket("udp4");
socket.on("message", (text, { port, address }) => socket.send(text, port, address)).bind(90);`;

/** Sends numbered datagrams until its input ends, with a point for each answer; then says how many of them were answered. The pace leaves buffers
 * room for a computer that does nothing for seconds. */
export const COUNTING = `const socket = require("node:dgram").createSocket("udp4");
const missing = new Set(); let sent = 0;
socket.on("message", (text) => { if (missing.delete(text.toString())) process.stdout.write("."); });
const done = () => { console.log(" " + (sent - missing.size) + " of " + sent); process.exit(); };
socket.connect(90, process.argv[1], () => {
  const sending = setInterval(() => { missing.add(String(++sent)); socket.send(String(sent)); }, 50);
  process.stdin.on("end", () => {
    clearInterval(sending);
    setInterval(() => missing.size === 0 && done(), 50);
    setTimeout(done, 30000);
  }).resume();
});`;
