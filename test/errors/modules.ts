// Bad calls of Linear and Embedding.

import { Embedding, Linear, PackedSequence, rand, zeros } from "../../lib/index.js";
import { any, detachedTensor, type Row, resizedTensor } from "./subjects.js";

export const linear = new Linear(3, 4);
export const embedding = new Embedding(5, 2);
const head = linear.stateDict();
const table = embedding.stateDict();

export const linearRows: readonly Row[] = [
  ["Linear without sizes", () => new Linear(any(undefined), 4), TypeError, "ERR_ARG_TYPE", "inFeatures"],
  ["Linear of no outputs", () => new Linear(3, 0), RangeError, "ERR_ARG_VALUE", "outFeatures"],
  ["Linear of half an input", () => new Linear(1.5, 4), RangeError, "ERR_ARG_VALUE", "inFeatures"],
  ["Linear beyond memory", () => new Linear(2 ** 24, 2 ** 24), RangeError, "ERR_ARG_VALUE", "memory"],
  ["Linear with torch's third argument", () => new Linear(3, 4, any(false)), TypeError, "ERR_ARG_TYPE", "options"],
  ["Linear's bias as a number", () => new Linear(3, 4, any({ bias: 0 })), TypeError, "ERR_ARG_TYPE", "bias"],
  ["Linear's dtype null", () => new Linear(3, 4, any({ dtype: null })), TypeError, "ERR_ARG_TYPE", "dtype"],
  ["Linear's dtype half", () => new Linear(3, 4, any({ dtype: "float16" })), TypeError, "ERR_DTYPE", "float16"],
  ["Linear's option misspelt", () => new Linear(3, 4, any({ bais: true })), TypeError, "ERR_OPTION", '"bias"'],
  ["Linear given nothing", () => linear.forward(any(undefined)), TypeError, "ERR_ARG_TYPE", "input"],
  ["Linear given a list", () => linear.forward(any([1, 2, 3])), TypeError, "ERR_ARG_TYPE", "input"],
  [
    "Linear given another width",
    () => linear.forward(rand([2, 5])),
    RangeError,
    "ERR_SHAPE",
    "input: expected shape (*, 3), but got a last dimension of 5 in (2, 5)",
  ],
  ["Linear given a scalar", () => linear.forward(zeros([])), RangeError, "ERR_SHAPE", "shape ()"],
  [
    "Linear given packed rows without a width",
    () => linear.forward(new PackedSequence(rand([3]), [3])),
    RangeError,
    "ERR_SHAPE",
    "packed rows of shape (N, *, 3)",
  ],
  ["Linear given float64", () => linear.forward(rand([2, 3], "float64")), TypeError, "ERR_DTYPE", "float32 tensor"],
  ["Linear given integers", () => linear.forward(zeros([2, 3], "int32")), TypeError, "ERR_DTYPE", "int32"],
  ["Linear given a detached buffer", () => linear.forward(detachedTensor([2, 3])), RangeError, "ERR_SHAPE", "detached"],
  ["Linear given a shrunk buffer", () => linear.forward(resizedTensor([2, 3], 8)), RangeError, "ERR_SHAPE", "resized"],
  [
    "Linear's dict without its weight",
    () => linear.loadStateDict({ weigth: head.weight!, bias: head.bias! }),
    RangeError,
    "ERR_STATE_DICT",
    'unexpected key "weigth" (did you mean "weight"?)',
  ],
  [
    "Linear's dict transposed",
    () => linear.loadStateDict({ ...head, weight: rand([3, 4]) }),
    RangeError,
    "ERR_STATE_DICT",
    "(3, 4) where the model has (4, 3)",
  ],
  [
    "Linear read off a dict under another prefix",
    () => Linear.fromStateDict({ "head.weight": head.weight! }),
    RangeError,
    "ERR_STATE_DICT",
    '{ prefix: "head." }',
  ],
  [
    "Linear read off a misspelt key",
    () => Linear.fromStateDict({ "head.wieght": head.weight! }, { prefix: "head." }),
    RangeError,
    "ERR_STATE_DICT",
    'did you mean "head.wieght"?',
  ],
  [
    "Linear read off a vector",
    () => Linear.fromStateDict({ weight: rand([4]) }),
    RangeError,
    "ERR_STATE_DICT",
    "matrix",
  ],
  [
    "Linear read off a whole model",
    () => Linear.fromStateDict({ ...head, extra: rand([1]) }),
    RangeError,
    "ERR_STATE_DICT",
    'unexpected key "extra"',
  ],
];

export const embeddingRows: readonly Row[] = [
  ["Embedding of no rows", () => new Embedding(0, 2), RangeError, "ERR_ARG_VALUE", "numEmbeddings"],
  ["Embedding of no width", () => new Embedding(5, 0), RangeError, "ERR_ARG_VALUE", "embeddingDim"],
  ["Embedding beyond memory", () => new Embedding(2 ** 31 - 1, 2 ** 24), RangeError, "ERR_ARG_VALUE", "memory"],
  [
    "Embedding's paddingIdx beyond the table",
    () => new Embedding(5, 2, { paddingIdx: 5 }),
    RangeError,
    "ERR_ARG_VALUE",
    "from -5 to 4",
  ],
  [
    "Embedding's paddingIdx in torch's spelling",
    () => new Embedding(5, 2, any({ padding_idx: 0 })),
    TypeError,
    "ERR_OPTION",
    '"paddingIdx"',
  ],
  [
    "Embedding's maxNorm NaN",
    () => new Embedding(5, 2, { maxNorm: Number.NaN }),
    RangeError,
    "ERR_ARG_VALUE",
    "maxNorm",
  ],
  ["Embedding's sparse as text", () => new Embedding(5, 2, any({ sparse: "no" })), TypeError, "ERR_ARG_TYPE", "sparse"],
  ["Embedding given nothing", () => embedding.forward(any(null)), TypeError, "ERR_ARG_TYPE", "input"],
  ["Embedding given a number", () => embedding.forward(any(3)), TypeError, "ERR_ARG_TYPE", "input"],
  ["Embedding given floats", () => embedding.forward(rand([2])), TypeError, "ERR_DTYPE", "int32 or int64"],
  [
    "Embedding given bytes",
    () => embedding.forward({ data: Uint8Array.of(1), shape: [1] }),
    TypeError,
    "ERR_DTYPE",
    "Uint8",
  ],
  [
    "Embedding given an index beyond the table",
    () => embedding.forward([0, 5]),
    RangeError,
    "ERR_ARG_VALUE",
    "input: expected indices from 0 to 4, but got 5 at place 1 of shape (2,)",
  ],
  ["Embedding given a negative index", () => embedding.forward([-1]), RangeError, "ERR_ARG_VALUE", "but got -1"],
  ["Embedding given a fraction", () => embedding.forward([0.5]), RangeError, "ERR_ARG_VALUE", "0.5"],
  ["Embedding given an index of 2^40", () => embedding.forward([2 ** 40]), RangeError, "ERR_ARG_VALUE", "32 bits"],
  [
    "Embedding given float sequences",
    () => embedding.forward(new PackedSequence(rand([3]), [3])),
    TypeError,
    "ERR_DTYPE",
    "input.data",
  ],
  [
    "Embedding's dict of another size",
    () => embedding.loadStateDict({ weight: rand([5, 3]) }),
    RangeError,
    "ERR_STATE_DICT",
    "(5, 3) where the model has (5, 2)",
  ],
  [
    "Embedding's paddingIdx beyond the dict's table",
    () => Embedding.fromStateDict(table, { paddingIdx: 7 }),
    RangeError,
    "ERR_ARG_VALUE",
    "paddingIdx",
  ],
  ["Embedding made of a vector", () => Embedding.fromPretrained(rand([5])), RangeError, "ERR_STATE_DICT", "a matrix"],
];
