/* SPDX-License-Identifier: Apache-2.0 */
/* code_records.h: the functions of a recording by their numbers, read in the process itself. */
#ifndef FT_RECORD_CODE_RECORDS_H
#define FT_RECORD_CODE_RECORDS_H

#include "engine/record/recording.h"

typedef struct ft_code_records {
    const ft_record **list; /* owned; the records are the arena's. Number n is at n - 1 */
    uint32_t count;
} ft_code_records;

void ft_code_records_fini(ft_code_records *records, const ft_mem *mem);

/* Brings the list up to what the recording knows by now. Takes its lock. FT_ERR_MEMORY leaves it as
 * it was. */
ft_status ft_code_records_update(ft_code_records *records, ft_recording *recording);

/* The file's name, which is not terminated. */
static inline const char *ft_code_records_file(const ft_code_records *records, uint32_t number,
                                               uint32_t *length)
{
    const ft_record *record = records->list[number - 1];
    *length = record->lengths[0];
    return (const char *)(record + 1);
}

#endif
