/* SPDX-License-Identifier: Apache-2.0 */
/* rewriting.h: code objects of CPython 3.11 with sites in them.
 *
 * 3.11 has no cheap way to hear of lines: its trace function slows down every instruction of a
 * thread. So what is to be observed is rewritten: at each place of interest stands
 *     LOAD_CONST site; UNARY_INVERT; POP_TOP
 * where `site` is an object whose nb_invert is told that the place was reached. That is no call,
 * and code that is not rewritten runs as ever.
 *
 * The rest is as it was: lines and columns of tracebacks, handlers, names, flags. LINE sites lie on
 * the edges between instructions where the interpreter would have told a trace function of a line
 * (the line differs, or the edge leads back), so each is counted exactly then. Two places
 * are left out where a trace function hears of lines that did not run: cleanups that raise on, and
 * what is left of the ends of blocks. */
#ifndef FT_GLUE_PROBES_REWRITING_H
#define FT_GLUE_PROBES_REWRITING_H

#include "glue/compat.h"

#if !FT_HAS_MONITORING

typedef enum ft_site_kind {
    FT_SITE_ENTER,   /* a frame begins, and its first line; a generator's at the first resumption */
    FT_SITE_LINE,    /* a line begins */
    FT_SITE_LEAVE,   /* the frame is about to return */
    FT_SITE_YIELD,   /* the frame is about to be suspended ... */
    FT_SITE_AWAIT,   /* ... until what it awaits goes on */
    FT_SITE_RESUMED, /* the frame goes on, in the line of the yield */
    FT_SITE_UNWOUND, /* an exception leaves the frame */
    FT_SITE_KINDS
} ft_site_kind;

/* Who rewrites. A frame is told of in order: ENTER, LINEs, YIELD or AWAIT and then RESUMED, at the
 * end LEAVE or UNWOUND; also where an exception is thrown in, or through it while it delegates. */
typedef struct ft_rewriter {
    void *context;
    /* Is code to be rewritten? *owner is what it belongs to, NULL: leave it. outer_owner: of the
     * code that it is a constant of, or NULL. 0, or -1 with an exception. Code inside code that is
     * left is asked about all the same. */
    int (*choose)(void *context, PyCodeObject *code, void *outer_owner, void **owner);
    /* The site, an object whose nb_invert gives a new reference to anything and never fails: a new
     * reference, or NULL with an exception. line: 0 when there is none. */
    PyObject *(*make)(void *context, void *owner, PyCodeObject *code, ft_site_kind kind, int line);
} ft_rewriter;

/* A new reference to code with sites in what was chosen of it and of the code inside it; to code
 * itself where nothing was, or where it is not as the compiler writes it. NULL with an exception.
 */
PyCodeObject *ft_rewrite(PyCodeObject *code, const ft_rewriter *rewriter);

#endif /* !FT_HAS_MONITORING */
#endif
