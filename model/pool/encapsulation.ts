/** The outer headers that VXLAN over IPv4 adds: Ethernet 14, IP 20, UDP 8, VXLAN 8 (RFC 7348). */
export const VXLAN_OVERHEAD = 50;
