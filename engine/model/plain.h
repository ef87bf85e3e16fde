/* SPDX-License-Identifier: Apache-2.0 */
/* plain.h: a copy of a profile whose paths are calls and nothing else, for whoever knows no tasks.
 *
 * What stood below a task's marker stands below the marker's parent, which called it; paths that
 * are the same then are one. What coroutines awaited is left out: it is no time of a thread. Calls,
 * times, callers and callees are as they were. */
#ifndef FT_MODEL_PLAIN_H
#define FT_MODEL_PLAIN_H

#include <stdbool.h>

#include "engine/model/profile.h"

/* Whether the profile is plain as it is. */
bool ft_plain_is(const ft_profile *profile);

/* Fills to, which ft_profile_init made just now; on an error it is fit for ft_profile_fini only.
 * from must pass ft_profile_check. FT_ERR_MEMORY, FT_ERR_LIMIT. */
ft_status ft_plain(ft_profile *to, const ft_profile *from);

#endif
