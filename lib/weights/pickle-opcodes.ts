// The opcodes of Python's pickle format: those that are read, by number, and the names of all others for the refusal.
// Numbers and names only; what an opcode does stands in pickle.ts.
// The list: https://github.com/python/cpython/blob/main/Lib/pickletools.py

// torch.save writes no others for a dict of tensors, whatever the protocol.
export const PROTO = 0x80;
export const FRAME = 0x95;
export const STOP = 0x2e;
export const MARK = 0x28;
export const NONE = 0x4e;
export const NEWTRUE = 0x88;
export const NEWFALSE = 0x89;
export const BININT = 0x4a;
export const BININT1 = 0x4b;
export const BININT2 = 0x4d;
export const LONG1 = 0x8a;
export const BINFLOAT = 0x47;
export const BINUNICODE = 0x58;
export const SHORT_BINUNICODE = 0x8c;
export const BINBYTES = 0x42;
export const SHORT_BINBYTES = 0x43;
export const EMPTY_TUPLE = 0x29;
export const TUPLE1 = 0x85;
export const TUPLE2 = 0x86;
export const TUPLE3 = 0x87;
export const TUPLE = 0x74;
export const EMPTY_LIST = 0x5d;
export const APPEND = 0x61;
export const APPENDS = 0x65;
export const EMPTY_DICT = 0x7d;
export const SETITEM = 0x73;
export const SETITEMS = 0x75;
export const EMPTY_SET = 0x8f;
export const ADDITEMS = 0x90;
export const FROZENSET = 0x91;
export const BINGET = 0x68;
export const LONG_BINGET = 0x6a;
export const BINPUT = 0x71;
export const LONG_BINPUT = 0x72;
export const MEMOIZE = 0x94;
export const GLOBAL = 0x63;
export const STACK_GLOBAL = 0x93;
export const REDUCE = 0x52;
export const BUILD = 0x62;
export const BINPERSID = 0x51;

/** The names of all other opcodes, by their character. */
// biome-ignore format: a table
export const refusedNames: Readonly<Record<string, string>> = {
  "0": "POP", "1": "POP_MARK", "2": "DUP", F: "FLOAT", I: "INT", L: "LONG", P: "PERSID", S: "STRING", T: "BINSTRING",
  U: "SHORT_BINSTRING", V: "UNICODE", d: "DICT", g: "GET", i: "INST", l: "LIST", o: "OBJ", p: "PUT", "\x81": "NEWOBJ",
  "\x82": "EXT1", "\x83": "EXT2", "\x84": "EXT4", "\x8b": "LONG4", "\x8d": "BINUNICODE8", "\x8e": "BINBYTES8",
  "\x92": "NEWOBJ_EX", "\x96": "BYTEARRAY8", "\x97": "NEXT_BUFFER", "\x98": "READONLY_BUFFER",
};
