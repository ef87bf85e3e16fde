/* SPDX-License-Identifier: Apache-2.0 */
/* numpy_data.h: the data of numpy's arrays, for the heaps that are on.
 *
 * numpy tells only the interpreter's own tracemalloc of it, which is off. But it allocates it by a
 * handler that lies in a capsule (NEP 49), and while a heap is on that capsule leads to functions
 * that call through and tell allocs.h. Why the capsule, and what is not seen: docs/adr/0012. */
#ifndef FT_GLUE_PROBES_NUMPY_DATA_H
#define FT_GLUE_PROBES_NUMPY_DATA_H

/* All need the GIL; none raises. */

/* A heap is on: hear of numpy's data as soon as numpy is there. */
void ft_numpy_data_begin(void);
/* None is on any more. Arrays that were made meanwhile stay as they are. */
void ft_numpy_data_end(void);

/* Has numpy been imported by now? In any thread, also inside an allocator, and now and then: it
 * costs nothing once numpy is heard. */
void ft_numpy_data_look(void);

#endif
