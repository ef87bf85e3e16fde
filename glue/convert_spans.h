/* SPDX-License-Identifier: Apache-2.0 */
/* convert_spans.h: the spans of a profile as Python objects.
 *
 * Each gives a new reference, or NULL with an exception. */
#ifndef FT_GLUE_CONVERT_SPANS_H
#define FT_GLUE_CONVERT_SPANS_H

#include <Python.h>

#include "engine/model/profile.h"
#include "glue/state.h"

/* Makes the row types, keeps them in state and adds them to the module. 0 or -1. */
int ft_convert_span_types_add(PyObject *module, ft_module_state *state);

/* (list[CollectionRow], list[ThreadSpanRow]) */
PyObject *ft_convert_spans(const ft_module_state *state, const ft_profile *profile);
/* list[CollectionSumRow] */
PyObject *ft_convert_collection_sums(const ft_module_state *state, const ft_profile *profile);

#endif
