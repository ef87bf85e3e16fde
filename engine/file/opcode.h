/* SPDX-License-Identifier: Apache-2.0 */
/* opcode.h: the opcodes of Python's pickles: those that pickle.c reads, and the names of all, for
 * messages. */
#ifndef FT_FILE_OPCODE_H
#define FT_FILE_OPCODE_H

#include <stdint.h>

enum {
    FT_OPCODE_MARK = '(',
    FT_OPCODE_STOP = '.',
    FT_OPCODE_PROTO = 0x80,
    FT_OPCODE_FRAME = 0x95,
    /* scalars */
    FT_OPCODE_NONE = 'N',
    FT_OPCODE_NEWTRUE = 0x88,
    FT_OPCODE_NEWFALSE = 0x89,
    FT_OPCODE_INT = 'I',
    FT_OPCODE_BININT = 'J',
    FT_OPCODE_BININT1 = 'K',
    FT_OPCODE_BININT2 = 'M',
    FT_OPCODE_LONG = 'L',
    FT_OPCODE_LONG1 = 0x8A,
    FT_OPCODE_LONG4 = 0x8B,
    FT_OPCODE_FLOAT = 'F',
    FT_OPCODE_BINFLOAT = 'G',
    FT_OPCODE_BINSTRING = 'T', /* these two are what Python 2 calls str */
    FT_OPCODE_SHORT_BINSTRING = 'U',
    FT_OPCODE_UNICODE = 'V',
    FT_OPCODE_BINUNICODE = 'X',
    FT_OPCODE_SHORT_BINUNICODE = 0x8C,
    FT_OPCODE_BINUNICODE8 = 0x8D,
    /* containers */
    FT_OPCODE_EMPTY_TUPLE = ')',
    FT_OPCODE_TUPLE = 't',
    FT_OPCODE_TUPLE1 = 0x85,
    FT_OPCODE_TUPLE2 = 0x86,
    FT_OPCODE_TUPLE3 = 0x87,
    FT_OPCODE_EMPTY_LIST = ']',
    FT_OPCODE_LIST = 'l',
    FT_OPCODE_APPEND = 'a',
    FT_OPCODE_APPENDS = 'e',
    FT_OPCODE_EMPTY_DICT = '}',
    FT_OPCODE_DICT = 'd',
    FT_OPCODE_SETITEM = 's',
    FT_OPCODE_SETITEMS = 'u',
    /* the memo */
    FT_OPCODE_PUT = 'p',
    FT_OPCODE_BINPUT = 'q',
    FT_OPCODE_LONG_BINPUT = 'r',
    FT_OPCODE_MEMOIZE = 0x94,
    FT_OPCODE_GET = 'g',
    FT_OPCODE_BINGET = 'h',
    FT_OPCODE_LONG_BINGET = 'j',
    /* objects */
    FT_OPCODE_GLOBAL = 'c',
    FT_OPCODE_STACK_GLOBAL = 0x93,
    FT_OPCODE_NEWOBJ = 0x81,
    FT_OPCODE_REDUCE = 'R',
    FT_OPCODE_BUILD = 'b'
};

/* "BINPERSID", as pickletools has it; NULL for what is no opcode. Static. */
const char *ft_opcode_name(uint8_t opcode);

#endif
