/* SPDX-License-Identifier: Apache-2.0 */
/* crc.h: CRC-32C (Castagnoli, polynomial 0x1EDC6F41, reflected, initial and final value all ones),
 * as in iSCSI: a checksum against accidents, not against attackers. */
#ifndef FT_BASE_CRC_H
#define FT_BASE_CRC_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of what gave `crc` followed by these bytes; start with crc 0. Uses the processor's
 * own instruction where there is one. bytes may be NULL when length is 0. */
uint32_t ft_crc32c(uint32_t crc, const void *bytes, size_t length);

/* The same by table, on any machine; for tests to compare with. */
uint32_t ft_crc32c_portable(uint32_t crc, const void *bytes, size_t length);

#endif
