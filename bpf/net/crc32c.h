/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "address.h"
#include <linux/types.h>

/* CRC32c (RFC 9260, appendix A) of a packet in which a few bytes change. It is linear: the old checksum XOR the CRC of the change,
 * without the initial and the final inversion. The CRC of a change that zeros follow is a product of polynomials, so its cost depends
 * on the number of bits of the length and not on the bytes, which need not be read. */

#define CRC32C_POLYNOMIAL 0x82f63b78 /* bits reversed, as in the register: the highest bit is x^0 */

/* The product of two registers, modulo the polynomial: 32 steps without branches, which the verifier walks once for all sixteen calls. */
__global __u32 crc32c_multiply(__u32 a, __u32 b)
{
	__u32 product = 0;

#pragma clang loop unroll(disable)
	for (int i = 0; i < 32; i++) {
		product ^= b & -(a >> 31);
		a <<= 1;
		b = (b >> 1) ^ (CRC32C_POLYNOMIAL & -(b & 1));
	}
	return product;
}

/* A register after `length` zero bytes, less than 2^16: times x^(8 * length). The factors are x^8, x^16, x^32 … */
static __always_inline __u32 crc32c_shift(__u32 value, __u32 length)
{
#define SHIFT(bit, factor)                                                                                             \
	if (length & (1 << (bit)))                                                                                     \
		value = crc32c_multiply(value, factor);
	SHIFT(0, 0x00800000)
	SHIFT(1, 0x00008000)
	SHIFT(2, 0x82f63b78)
	SHIFT(3, 0x6ea2d55c)
	SHIFT(4, 0x18b8ea18)
	SHIFT(5, 0x510ac59a)
	SHIFT(6, 0xb82be955)
	SHIFT(7, 0xb8fdb1e7)
	SHIFT(8, 0x88e56f72)
	SHIFT(9, 0x74c360a4)
	SHIFT(10, 0xe4172b16)
	SHIFT(11, 0x0d65762a)
	SHIFT(12, 0x35d73a62)
	SHIFT(13, 0x28461564)
	SHIFT(14, 0xbf455269)
	SHIFT(15, 0xe2ea32dc)
#undef SHIFT
	return value;
}
