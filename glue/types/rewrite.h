/* SPDX-License-Identifier: Apache-2.0 */
/* rewrite.h: rewriting with sites of the caller's, for the tests. */
#ifndef FT_GLUE_TYPES_REWRITE_H
#define FT_GLUE_TYPES_REWRITE_H

#include "glue/compat.h"

#if !FT_HAS_MONITORING

extern const char ft_rewrite_doc[];

/* _core._rewrite(code, make, choose) */
PyObject *ft_core_rewrite(PyObject *module, PyObject *args);

#endif /* !FT_HAS_MONITORING */
#endif
