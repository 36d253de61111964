// The public face of packed-lstm: re-exports, nothing else.

export type { ErrorCode } from "./check.js";
export type { EmbeddingFromStateDictOptions, EmbeddingOptions } from "./embedding.js";
export { Embedding } from "./embedding.js";
export type { AnyTypedArray, ForeignTensor } from "./intake.js";
export type { LinearOptions } from "./linear.js";
export { Linear } from "./linear.js";
export { LSTM } from "./lstm.js";
export type { LSTMOutput } from "./lstm-call.js";
export type {
  ForwardAsyncOptions,
  ForwardOptions,
  FromStateDictOptions,
  LSTMOptions,
  WeightDType,
} from "./lstm-options.js";
export type { LSTMOut } from "./lstm-out.js";
export type { LSTMState } from "./lstm-state.js";
export type { MapOptions, MapProgress, MapResult, MapSource } from "./map.js";
export type { PackPaddedOptions, PadPackedOptions } from "./packed.js";
export { invertPermutation, PackedSequence, packPaddedSequence, padPackedSequence } from "./packed.js";
export { manualSeed, rand, randn } from "./random.js";
export type { RuntimeInfo } from "./runtime.js";
export { getNumThreads, runtimeInfo, setNumThreads } from "./runtime.js";
export type { PackOptions, PadOptions, UnpadOptions } from "./sequences.js";
export { packSequence, padSequence, unpackSequence, unpadSequence } from "./sequences.js";
export type { LSTMStream, StreamOptions } from "./stream.js";
export type { FloatDType } from "./strided.js";
export type { DType, Ints, NestedNumbers, TensorData, TensorLike } from "./tensor.js";
export { Tensor } from "./tensor.js";
export type { AllcloseOptions, NestedInput, SortOptions } from "./tensor-ops.js";
export { allclose, cat, full, ones, sort, stack, tensor, zeros } from "./tensor-ops.js";
export type { OnnxLSTM } from "./weights/onnx.js";
export { loadOnnx } from "./weights/onnx.js";
export type { SaveSafetensorsOptions } from "./weights/safetensors.js";
export { loadSafetensors, saveSafetensors } from "./weights/safetensors.js";
export type { FileSource } from "./weights/source.js";
export type { LoadStateDictOptions, StateDict } from "./weights/state-dict.js";
export type { LoadTorchOptions } from "./weights/torch.js";
export { loadTorch } from "./weights/torch.js";
