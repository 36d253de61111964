// Bad state dicts, and bad ways to hand one over.

import { LSTM, rand, zeros } from "../../lib/index.js";
import { any, detachedTensor, good, lstm, type Row, stacked } from "./subjects.js";

const { weight_ih_l0: _, ...withoutOne } = good;
export const dicts: readonly Row[] = [
  ["a missing key", () => lstm.loadStateDict(withoutOne), RangeError, "ERR_STATE_DICT", 'missing key "weight_ih_l0"'],
  [
    "an unexpected key",
    () => lstm.loadStateDict({ ...good, weight_ih_l1: rand([16, 4]) }),
    RangeError,
    "ERR_STATE_DICT",
    'unexpected key "weight_ih_l1"',
  ],
  [
    "a misspelt key",
    () => lstm.loadStateDict({ ...withoutOne, weight_ih_0: rand([16, 3]) }),
    RangeError,
    "ERR_STATE_DICT",
    'did you mean "weight_ih_l0"?',
  ],
  [
    "a misshapen key",
    () => lstm.loadStateDict({ ...good, bias_ih_l0: rand([15]) }),
    RangeError,
    "ERR_STATE_DICT",
    'size mismatch for "bias_ih_l0"',
  ],
  [
    "a transposed weight",
    () => lstm.loadStateDict({ ...good, weight_ih_l0: rand([3, 16]) }),
    RangeError,
    "ERR_STATE_DICT",
    "(3, 16) where the model has (16, 3)",
  ],
  [
    "the last of many parameters misshapen",
    () => stacked.loadStateDict({ ...stacked.stateDict(), weight_hr_l1_reverse: rand([4, 2]) }),
    RangeError,
    "ERR_STATE_DICT",
    "weight_hr_l1_reverse",
  ],
  [
    "integers for weights",
    () => lstm.loadStateDict({ ...good, bias_ih_l0: zeros([16], "int32") }),
    TypeError,
    "ERR_DTYPE",
    "bias_ih_l0",
  ],
  [
    "a value that is no tensor",
    () => lstm.loadStateDict({ ...good, bias_ih_l0: any(3) }),
    TypeError,
    "ERR_ARG_TYPE",
    "bias_ih_l0",
  ],
  [
    "a detached weight",
    () => lstm.loadStateDict({ ...good, bias_ih_l0: detachedTensor([16]) }),
    RangeError,
    "ERR_SHAPE",
    "detached",
  ],
  ["no dict", () => lstm.loadStateDict(any(null)), TypeError, "ERR_ARG_TYPE", "dict"],
  ["a list for a dict", () => lstm.loadStateDict(any(Object.values(good))), TypeError, "ERR_ARG_TYPE", "dict"],
  ["a Map for a dict", () => lstm.loadStateDict(any(new Map(Object.entries(good)))), TypeError, "ERR_ARG_TYPE", "dict"],
  [
    "a prefix that is none of the dict's",
    () => lstm.loadStateDict(good, { prefix: "lstm." }),
    RangeError,
    "ERR_STATE_DICT",
    '{ prefix: "" }',
  ],
  ["a prefix that is no text", () => lstm.loadStateDict(good, any({ prefix: 3 })), TypeError, "ERR_ARG_TYPE", "prefix"],
  ["a prefix as the option itself", () => lstm.loadStateDict(good, any("lstm.")), TypeError, "ERR_ARG_TYPE", "options"],
  [
    "a misspelt option of loadStateDict",
    () => lstm.loadStateDict(good, any({ prefx: "" })),
    TypeError,
    "ERR_OPTION",
    '"prefix"',
  ],
  [
    "a misspelt option of fromStateDict",
    () => LSTM.fromStateDict(good, any({ batch_first: true })),
    TypeError,
    "ERR_OPTION",
    '"batchFirst"',
  ],
  ["sizes that cannot be read", () => LSTM.fromStateDict({}), RangeError, "ERR_STATE_DICT", "weight_ih_l0"],
  ["null for a prefix", () => lstm.loadStateDict(good, any({ prefix: null })), TypeError, "ERR_ARG_TYPE", "prefix"],
];
