/* SPDX-License-Identifier: Apache-2.0 */
/* plain_text.c: the text of a str, read as it lies there (see plain_text.h). */
#include "glue/probes/plain_text.h"

#include "engine/record/recording.h"

/* UTF-8 of a character behind `at`; what UTF-8 has no bytes for is spelled \uXXXX, as in the tables
 * of calls. Room for 6 bytes. */
static char *put_character(char *at, Py_UCS4 character)
{
    static const char digits[] = "0123456789abcdef";
    if (character < 0x80) {
        *at++ = (char)character;
    } else if (character < 0x800) {
        *at++ = (char)(0xc0 | character >> 6);
        *at++ = (char)(0x80 | (character & 0x3f));
    } else if (character >= 0xd800 && character < 0xe000) {
        *at++ = '\\';
        *at++ = 'u';
        for (int shift = 12; shift >= 0; shift -= 4)
            *at++ = digits[character >> shift & 0xf];
    } else if (character < 0x10000) {
        *at++ = (char)(0xe0 | character >> 12);
        *at++ = (char)(0x80 | (character >> 6 & 0x3f));
        *at++ = (char)(0x80 | (character & 0x3f));
    } else {
        *at++ = (char)(0xf0 | character >> 18);
        *at++ = (char)(0x80 | (character >> 12 & 0x3f));
        *at++ = (char)(0x80 | (character >> 6 & 0x3f));
        *at++ = (char)(0x80 | (character & 0x3f));
    }
    return at;
}

size_t ft_plain_text(PyObject *text, char *buffer)
{
    if (text == NULL || !PyUnicode_Check(text) || !ft_compat_is_ready(text))
        return 0;
    char *at = buffer;
    const char *last = buffer + FT_NAME_MAX_BYTES - 6;
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    int kind = (int)PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    for (Py_ssize_t i = 0; i < length && at <= last; i++)
        at = put_character(at, PyUnicode_READ(kind, data, i));
    return (size_t)(at - buffer);
}
