/* SPDX-License-Identifier: Apache-2.0 */
/* plain_text.h: the text of a str, read as it lies there: nothing is allocated, cached or run, and
 * the GIL is not needed while something keeps the str alive. */
#ifndef FT_GLUE_PROBES_PLAIN_TEXT_H
#define FT_GLUE_PROBES_PLAIN_TEXT_H

#include "glue/compat.h"

/* Writes UTF-8 to the buffer, which has room for FT_NAME_MAX_BYTES and gets no more: its length.
 * What UTF-8 has no bytes for is spelled \\uXXXX. 0 for what is no str. */
size_t ft_plain_text(PyObject *text, char *buffer);

#endif
