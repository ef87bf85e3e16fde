/* SPDX-License-Identifier: Apache-2.0 */
/* line_sites.h: the objects in rewritten code that tell the line recorders where a frame is, 3.11.
 *
 * A site keeps the original code object: its address is what recordings know the function by, and
 * rewritten code may run for longer than it is watched. Without a take that listens a site does
 * nothing. It pickles as an int, which does nothing either; marshal refuses it. */
#ifndef FT_GLUE_PROBES_LINE_SITES_H
#define FT_GLUE_PROBES_LINE_SITES_H

#include "glue/compat.h"

#if !FT_HAS_MONITORING

/* What a rewritten code object was made of. Borrowed; NULL: it has no sites. */
PyCodeObject *ft_line_sites_original(const PyCodeObject *code);

/* The code with sites in it and in the anonymous code inside it: a new reference, to code itself
 * where it can not be rewritten; NULL with an exception. */
PyCodeObject *ft_line_sites_rewrite(PyCodeObject *code);

/* The code with sites in whatever of it is watched. Likewise. */
PyCodeObject *ft_line_sites_rewrite_watched(PyCodeObject *code);

#endif /* !FT_HAS_MONITORING */
#endif
