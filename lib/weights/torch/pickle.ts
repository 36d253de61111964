// Reads pickles, protocols 0 to 5, without running anything: every opcode builds plain values (values.ts), and what would
// import, call or construct something in Python becomes an opaque object that holds its name and arguments. What the calls
// of a tensor's making mean, the host says; this room has no list of its own and knows no tensors.
// The format: https://github.com/python/cpython/blob/main/Lib/pickletools.py

import { describe } from "../../check.js";
import type { Cursor } from "./cursor.js";
import * as op from "./pickle-opcodes.js";
import { decodeEscaped, decodeLine, decodeText, readLong, unquote } from "./pickle-scalars.js";
import { PickleStack } from "./pickle-stack.js";
import { PyDict, PyGlobal, PyObject, PySequence, type PyValue } from "./values.js";

/** Gives meaning to what a pickle names. Neither throws. */
export interface PickleHost<H> {
  /** What a call gives, or an instance of a class; undefined for what is not known, which stays opaque. */
  call(name: string, args: readonly PyValue<H>[]): PyValue<H> | undefined;
  /** What a persistent id stands for, or undefined. */
  persistent(id: PyValue<H>): PyValue<H> | undefined;
  /** Whether a global of this name is known; all others are listed as opaque. */
  knows(name: string): boolean;
}

/**
 * Reads one pickle, from the cursor on, and leaves the cursor behind it.
 * @param opaque takes the names of the globals that the host does not know
 * @throws RangeError ERR_FILE for anything that no pickler writes
 */
export function readPickle<H extends object>(cursor: Cursor, host: PickleHost<H>, opaque: Set<string>): PyValue<H> {
  return new PickleReader(cursor, host, opaque).run();
}

class PickleReader<H extends object> {
  readonly #in: Cursor;
  readonly #host: PickleHost<H>;
  readonly #opaque: Set<string>;
  readonly #stack: PickleStack<H>;

  constructor(cursor: Cursor, host: PickleHost<H>, opaque: Set<string>) {
    this.#in = cursor;
    this.#stack = new PickleStack(cursor);
    this.#host = host;
    this.#opaque = opaque;
  }

  run(): PyValue<H> {
    for (let opcode = this.#in.byte(); opcode !== op.STOP; opcode = this.#in.byte()) {
      const known =
        this.#readScalar(opcode) ||
        this.#readText(opcode) ||
        this.#readCollection(opcode) ||
        this.#readReference(opcode) ||
        this.#readObject(opcode);
      if (!known) throw this.#in.fail("the opcodes of a pickle", `0x${opcode.toString(16).padStart(2, "0")}`);
    }
    return this.#stack.last();
  }

  #readScalar(opcode: number): boolean {
    const from = this.#in;
    switch (opcode) {
      case op.PROTO: {
        const protocol = from.byte();
        if (protocol > 5) throw from.fail("a pickle of protocol 0 to 5", `protocol ${protocol}`);
        return true;
      }
      case op.FRAME:
        from.skip(8); // how much to buffer
        return true;
      case op.NONE:
        return this.#stack.push(null);
      case op.NEWTRUE:
        return this.#stack.push(true);
      case op.NEWFALSE:
        return this.#stack.push(false);
      case op.BININT:
        return this.#stack.push(from.int32());
      case op.BININT1:
        return this.#stack.push(from.byte());
      case op.BININT2:
        return this.#stack.push(from.uint16());
      case op.LONG1:
        return this.#stack.push(this.#long(from.byte()));
      case op.LONG4:
        return this.#stack.push(this.#long(from.uint32()));
      case op.BINFLOAT:
        return this.#stack.push(from.float64());
      case op.INT:
      case op.LONG:
      case op.FLOAT:
        return this.#stack.push(decodeLine(from, from.line()) ?? new PyObject("a number", []));
      default:
        return false;
    }
  }

  #long(length: number): PyValue<H> {
    return readLong(this.#in.bytes(length)) ?? new PyObject(`an integer of ${length} bytes`, []);
  }

  #readText(opcode: number): boolean {
    const from = this.#in;
    switch (opcode) {
      case op.BINUNICODE:
        return this.#stack.push(decodeText(from, from.bytes(from.uint32())));
      case op.SHORT_BINUNICODE:
        return this.#stack.push(decodeText(from, from.bytes(from.byte())));
      case op.BINUNICODE8:
        return this.#stack.push(decodeText(from, from.bytes(from.uint64())));
      case op.BINBYTES:
        return this.#stack.push(from.bytes(from.uint32()));
      case op.SHORT_BINBYTES:
        return this.#stack.push(from.bytes(from.byte()));
      case op.BINBYTES8:
      case op.BYTEARRAY8:
        return this.#stack.push(from.bytes(from.uint64()));
      // Python 2's strings, text or bytes: one character a byte.
      case op.BINSTRING:
        return this.#stack.push(Buffer.from(from.bytes(from.uint32())).toString("latin1"));
      case op.SHORT_BINSTRING:
        return this.#stack.push(Buffer.from(from.bytes(from.byte())).toString("latin1"));
      case op.STRING:
        return this.#stack.push(unquote(from, from.line()));
      case op.UNICODE:
        return this.#stack.push(decodeEscaped(from.line()));
      case op.NEXT_BUFFER:
        return this.#stack.push(new PyObject("a buffer outside the pickle", []));
      case op.READONLY_BUFFER:
        return true;
      default:
        return false;
    }
  }

  #readCollection(opcode: number): boolean {
    switch (opcode) {
      case op.MARK:
        return this.#stack.mark();
      case op.EMPTY_TUPLE:
        return this.#stack.push(new PySequence<H>("tuple", []));
      case op.TUPLE1:
      case op.TUPLE2:
      case op.TUPLE3:
        return this.#stack.push(new PySequence("tuple", this.#stack.popMany(opcode - op.TUPLE1 + 1)));
      case op.TUPLE:
        return this.#stack.push(new PySequence("tuple", this.#stack.popToMark()));
      case op.LIST:
        return this.#stack.push(new PySequence("list", this.#stack.popToMark()));
      case op.FROZENSET:
        return this.#stack.push(new PySequence("set", this.#stack.popToMark()));
      case op.EMPTY_LIST:
        return this.#stack.push(new PySequence<H>("list", []));
      case op.EMPTY_SET:
        return this.#stack.push(new PySequence<H>("set", []));
      case op.APPEND:
        return this.#stack.extend("list", [this.#stack.pop()]);
      case op.APPENDS:
        return this.#stack.extend("list", this.#stack.popToMark());
      case op.ADDITEMS:
        return this.#stack.extend("set", this.#stack.popToMark());
      case op.EMPTY_DICT:
        return this.#stack.push(new PyDict<H>());
      case op.DICT: {
        const items = this.#stack.popToMark();
        this.#stack.push(new PyDict<H>());
        return this.#stack.setItems(items);
      }
      case op.SETITEM:
        return this.#stack.setItems(this.#stack.popMany(2));
      case op.SETITEMS:
        return this.#stack.setItems(this.#stack.popToMark());
      default:
        return false;
    }
  }

  #readReference(opcode: number): boolean {
    const from = this.#in;
    switch (opcode) {
      case op.POP:
        return this.#stack.drop();
      case op.POP_MARK:
        this.#stack.popToMark();
        return true;
      case op.DUP:
        return this.#stack.push(this.#stack.peek());
      case op.BINGET:
        return this.#stack.push(this.#stack.recall(from.byte()));
      case op.LONG_BINGET:
        return this.#stack.push(this.#stack.recall(from.uint32()));
      case op.GET:
        return this.#stack.push(this.#stack.recall(Number(decodeLine(from, from.line()))));
      case op.BINPUT:
        return this.#stack.remember(from.byte());
      case op.LONG_BINPUT:
        return this.#stack.remember(from.uint32());
      case op.PUT:
        return this.#stack.remember(Number(decodeLine(from, from.line())));
      case op.MEMOIZE:
        return this.#stack.remember();
      default:
        return false;
    }
  }

  #readObject(opcode: number): boolean {
    switch (opcode) {
      case op.GLOBAL:
        return this.#stack.push(this.#global(this.#globalLines()));
      case op.STACK_GLOBAL: {
        const [module, name] = this.#stack.popMany(2);
        if (typeof module === "string" && typeof name === "string")
          return this.#stack.push(this.#global(`${module}.${name}`));
        throw this.#in.fail("a module and a name", "other values");
      }
      case op.EXT1:
        return this.#stack.push(this.#global(`copyreg extension ${this.#in.byte()}`));
      case op.EXT2:
        return this.#stack.push(this.#global(`copyreg extension ${this.#in.uint16()}`));
      case op.EXT4:
        return this.#stack.push(this.#global(`copyreg extension ${this.#in.uint32()}`));
      case op.REDUCE:
      case op.NEWOBJ: {
        const [callee = null, args = null] = this.#stack.popMany(2);
        return this.#stack.push(this.#call(callee, args));
      }
      case op.NEWOBJ_EX: {
        const [callee = null, args = null] = this.#stack.popMany(3);
        return this.#stack.push(this.#call(callee, args));
      }
      case op.INST: {
        const name = this.#globalLines();
        return this.#stack.push(this.#call(this.#global(name), new PySequence("tuple", this.#stack.popToMark())));
      }
      case op.OBJ: {
        const [callee = null, ...args] = this.#stack.popToMark();
        return this.#stack.push(this.#call(callee, new PySequence("tuple", args)));
      }
      case op.BUILD: {
        const state = this.#stack.pop();
        const target = this.#stack.peek();
        // Attributes of a dict or a tensor, such as the `_metadata` that torch sets, say nothing of what it holds.
        if (target instanceof PyObject) target.state = state;
        return true;
      }
      case op.BINPERSID:
        return this.#stack.push(this.#persistent(this.#stack.pop()));
      case op.PERSID:
        return this.#stack.push(this.#persistent(decodeText(this.#in, this.#in.line())));
      default:
        return false;
    }
  }

  #globalLines(): string {
    const module = decodeText(this.#in, this.#in.line());
    return `${module}.${decodeText(this.#in, this.#in.line())}`;
  }

  #global(name: string): PyGlobal {
    if (!this.#host.knows(name)) this.#opaque.add(name);
    return new PyGlobal(name);
  }

  #call(callee: PyValue<H>, args: PyValue<H>): PyValue<H> {
    const given = args instanceof PySequence ? args.items : [args];
    if (!(callee instanceof PyGlobal)) {
      const what = callee instanceof PyObject ? callee.of : describe(callee);
      return new PyObject(`what calling ${what} gives`, given);
    }
    return this.#host.call(callee.name, given) ?? new PyObject(callee.name, given);
  }

  #persistent(id: PyValue<H>): PyValue<H> {
    return this.#host.persistent(id) ?? new PyObject("a persistent id", [id]);
  }
}
