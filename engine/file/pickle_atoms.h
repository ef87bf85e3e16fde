/* SPDX-License-Identifier: Apache-2.0 */
/* pickle_atoms.h: for pickle.c: the arguments of a pickle's opcodes, from bytes to numbers and
 * texts. Each reads at from->at and moves it behind what it read. */
#ifndef FT_FILE_PICKLE_ATOMS_H
#define FT_FILE_PICKLE_ATOMS_H

#include "engine/file/pickle.h"

/* Notes what was refused, "<format> at byte <at>", unless something was before. Always
 * FT_ERR_CORRUPT. */
ft_status ft_pickle_refuse(ft_pickle *from, uint32_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* An unsigned number of size (1 to 8) bytes, little-endian. */
ft_status ft_pickle_number(ft_pickle *from, size_t size, uint64_t *number);

/* What stands before the next end of line, which it moves behind. Borrowed from the bytes. */
ft_status ft_pickle_line(ft_pickle *from, ft_text *line);

/* A decimal number on a line, not negative: of the memo. */
ft_status ft_pickle_index(ft_pickle *from, uint64_t *index);

/* The scalar that opcode pushes; absent for an opcode that pushes none. */
ft_status ft_pickle_scalar(ft_pickle *from, uint8_t opcode, ft_pickle_value *value);

#endif
