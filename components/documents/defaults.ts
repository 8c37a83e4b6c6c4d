/** Port of the API server, as kubeadm has it. */
export const API_SERVER_PORT = 6443;

/** IPv4 network that pods' addresses come from, unless another is asked for. */
export const POD_NETWORK = "10.244.0.0/16";

/** IPv6 network that pods' addresses come from in a dual-stack cluster, unless another is asked for. */
export const POD_NETWORK_IPV6 = "fd00:10:244::/56";

/** IPv4 network that Services' addresses come from, unless another is asked for. */
export const SERVICE_NETWORK = "10.96.0.0/12";

/** IPv6 network that Services' addresses come from in a cluster that says to have IPv6, unless another is asked for. */
export const SERVICE_NETWORK_IPV6 = "fd00:10:96::/112";

/** Largest packet in bytes that a network may carry: what IPv6 asks for (RFC 8200 section 5), and what a packet can hold. */
export const MTU = { least: 1280, most: 65535 };

/** IPv4 network of the machines of every lab, which are apart from each other. */
export const LAB_NETWORK = "172.31.1.0/24";

/** Address of the switch of a lab: the machines' default gateway. */
export const LAB_SWITCH = "172.31.1.1";

/** IPv6 network of the machines of every lab (a unique local one, RFC 4193). */
export const LAB_NETWORK_IPV6 = "fd00:172:31:1::/64";

/** IPv6 address of the switch of a lab: the machines' default gateway. */
export const LAB_SWITCH_IPV6 = "fd00:172:31:1::1";

/** How many Services have metrics of their own. */
export const SERVICE_SERIES = { least: 1, most: 5000, usual: 100 };
