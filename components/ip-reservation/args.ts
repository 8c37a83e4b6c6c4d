import type * as pulumi from "@pulumi/pulumi";

/** Addresses that pods get only if they ask for them: those of routers, or of machines that are to move. */
export interface IpReservationSpec {
  /** Name of the object. */
  name: string;
  /** Addresses and networks, e.g. "10.244.0.7" and "10.244.1.0/28". Pods that ask for such an address (`cni.projectcalico.org/ipAddrs`) get it, and pods that have one keep it. */
  reservedCIDRs: pulumi.Input<string>[];
}

/** Arguments of `IpReservation`. */
export interface IpReservationArgs extends IpReservationSpec {}
