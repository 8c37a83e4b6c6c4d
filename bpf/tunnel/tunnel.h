/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "device.h"
#include "vxlan.h"

/* All that the packet path knows of encapsulations: is_tunnel_packet(), wrap(), unwrap(), and the same by the kernel's device. */

#define TUNNEL_ROOM sizeof(struct outer_headers) /* bytes that wrapping adds */
