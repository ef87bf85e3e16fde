/* SPDX-License-Identifier: Apache-2.0 */
/* collections.h: the probe of garbage collections: the interpreter's own gc.callbacks tell when one
 * begins and ends.
 *
 * While a take is active a C function of ours is in that list, where the program sees it; the
 * collector calls it from C, so that no probe of calls hears of it. A program that empties the list
 * is not told of collections any more, and the take bears a note. Only the main interpreter's
 * collections are heard of. All needs the GIL. */
#ifndef FT_GLUE_PROBES_COLLECTIONS_H
#define FT_GLUE_PROBES_COLLECTIONS_H

#include <stdbool.h>

#include "glue/compat.h"

/* When the module is loaded: later, what it makes and runs (code of importlib) would be recorded.
 * What fails leaves collections untold. */
void ft_collections_prepare(void);

/* The list of takes has changed: the function is in gc.callbacks if one is active, else not. An
 * exception that is set stays. */
void ft_collections_adjust(void);

/* Is it not there any more, though it was put there? */
bool ft_collections_are_lost(void);

#endif
