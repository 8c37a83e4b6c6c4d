/** Whether packets between nodes are encrypted. */
export enum Encryption {
  None = "None",
  /** By the kernel's WireGuard: pods' packets to other nodes and their pods, what nodes send to pods, and clients' packets that a node forwards. */
  WireGuard = "WireGuard",
}
