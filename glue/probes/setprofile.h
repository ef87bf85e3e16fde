/* SPDX-License-Identifier: Apache-2.0 */
/* setprofile.h: the profile hook of 3.11, for the probe that has to fall back to it. */
#ifndef FT_GLUE_PROBES_SETPROFILE_H
#define FT_GLUE_PROBES_SETPROFILE_H

#include <stdbool.h>

/* Makes the hook object. 0, or -1 with an exception. */
int ft_setprofile_prepare(void);

/* Hooks every thread that has no profile hook, in the middle of whatever it does. 0, or -1 with an
 * exception. */
int ft_setprofile_take_over(bool builtins);

/* Unhooks every thread. */
void ft_setprofile_stop(void);

#endif
